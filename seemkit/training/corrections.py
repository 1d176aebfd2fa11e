"""Rounds of correction: the simulated user looks at the answer and clicks where it is wrong (SEEM section 3.4)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seemkit.geometry.region import Region
from seemkit.training.cell import Cell
from seemkit.training.clicks import depth, next_click
from seemkit.training.recipe.sections import ClicksSection

__all__ = ["correct", "larger_error_click"]

Click = tuple[int, int, bool]


def correct(cells: Sequence[Cell], predictions: Sequence[NDArray[np.bool_]], options: ClicksSection) -> None:
    """Give every cell the click that its prediction (S, S) calls for; none where it is good enough or right."""
    for cell, prediction in zip(cells, predictions, strict=True):
        height, width = cell.valid
        seen, truth = prediction[:height, :width], cell.truth
        if cell.ignored is not None:  # whatever was said there is right
            seen = np.where(cell.ignored, truth, seen)
        union = int((seen | truth).sum())
        if options.enough < 1 and int((seen & truth).sum()) >= options.enough * union:
            continue
        click = _choose(seen, cell, options)
        if click is None:
            continue
        x, y, positive = click
        mask = np.zeros(truth.shape, bool)
        mask[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = True
        cell.regions.append(Region(mask, include=positive))
        cell.used = cell.used | mask


def larger_error_click(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], prompted: NDArray[np.bool_]
) -> Click | None:
    """(x, y, positive) as the original clicks: in the larger of the two error areas, wherever it is deepest.

    What was missed and what was wrongly selected, without the pixels that were prompted before (by the first prompt
    too), are compared as whole areas; a tie is a negative click. Depth is the exact Euclidean distance, not the
    original's approximation.
    """
    missed, wrong = truth & ~prediction & ~prompted, prediction & ~truth & ~prompted
    positive = int(missed.sum()) > int(wrong.sum())
    deep = depth(missed if positive else wrong)
    if deep.max(initial=0) <= 0:
        return None
    row, column = divmod(int(deep.argmax()), deep.shape[1])
    return column, row, positive


def _choose(seen: NDArray[np.bool_], cell: Cell, options: ClicksSection) -> Click | None:
    if not options.negative:
        seen = seen & cell.truth  # what is wrongly selected is passed over
    if options.protocol == "deepest":
        return next_click(seen, cell.truth, cell.used)
    return larger_error_click(seen, cell.truth, cell.prompted)

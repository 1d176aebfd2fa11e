"""How well held-out pictures are answered: simulated clicks, by the very pass that is trained.

The clicks are RITM's (Sofiiuk et al., ICIP 2022) on the canvas: the first is the innermost pixel of the object, each
later one that of the deepest error. For figures at the size of the photos there is `seemkit eval`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seemkit.geometry.region import Region
from seemkit.training.augment import Augment
from seemkit.training.batch import Batch, normalise
from seemkit.training.cell import Cell
from seemkit.training.clicks import next_click
from seemkit.training.corrections import correct
from seemkit.training.objective import Objective
from seemkit.training.recipe.sections import AugmentSection, ClicksSection
from seemkit.training.sources import OpenSource
from seemkit.training.view import View

__all__ = ["PROTOCOL", "Round", "iou", "measure", "play", "still_views"]

PROTOCOL = "RITM clicks on the canvas"
"""What stands beside the figures: who clicks, and where."""
MOST = 100
"""Pictures of each source."""
CLICKS = 3
STILL = AugmentSection(zoom=(1.0, 1.0), flip=0.0, colour=0.0)


@dataclass(frozen=True, eq=False)
class Round:
    """What was answered to a view's objects after some clicks.

    Attributes:
        masks: (S, S) for each object.
        cells: with what was clicked.
    """

    masks: list[NDArray[np.bool_]]
    cells: list[Cell]


def still_views(
    sources: Sequence[OpenSource], size: int, *, most: int = MOST, held: bool = True
) -> Iterator[View]:
    """Views of whole pictures as they are, `most` of each source, spread evenly over it.

    What is wrong with a picture is kept in the faults of its data set.

    Args:
        sources: the data.
        size: S, of the canvas.
        most: of each source.
        held: of what is held out, or of what is trained on.
    """
    augment = Augment(STILL, size, 4)
    for number, source in enumerate(sources):
        dataset = source.held if held else source.train
        keys = dataset.keys
        for key in keys[:: max(len(keys) // most, 1)][:most]:
            sample, _ = dataset.checked(key)
            view = None if sample is None else augment.view(sample, 0, number)
            if view is not None:
                yield view


@torch.no_grad()
def play(objective: Objective, view: View, clicks: int = CLICKS) -> Iterator[Round]:
    """Answer the distinct objects of a view after each of some clicks."""
    network = objective.network
    chosen = tuple(dict.fromkeys(view.chosen))
    cells = [_click_first(view, index) for index in chosen]
    batch = Batch((view,), tuple(cells), (0,), False)
    features = network.encode(normalise(batch.views, objective.preprocess, network.device))
    scene = network.decoder.prepare(features.levels, network.mask_features(features.fine), features.meaning)
    ask = objective.asking(scene, features, cells)
    rule = ClicksSection(rounds=clicks)
    previous = None
    for _ in range(clicks):
        previous = objective.answer(ask, ask(previous))
        masks = objective.predictions(previous)
        yield Round(masks, [*cells])
        correct(cells, masks, rule)


def measure(objective: Objective, views: Sequence[View]) -> dict[str, float]:
    """Mean IoU over all objects of views, after each click; the network is as it is given."""
    network, found = objective.network, [[0.0] * 0 for _ in range(CLICKS)]
    was = network.training
    network.eval()
    try:
        for view in views:
            for turn, seen in enumerate(play(objective, view)):
                height, width = view.valid
                found[turn] += [
                    iou(mask[:height, :width], cell.truth, cell.ignored)
                    for mask, cell in zip(seen.masks, seen.cells, strict=True)
                ]
    finally:
        network.train(was)
    return {f"IoU@{turn + 1}": float(np.mean(values)) for turn, values in enumerate(found) if values}


def iou(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], ignored: NDArray[np.bool_] | None = None
) -> float:
    """Intersection over union where nothing is ignored; 1 of two empty masks."""
    if ignored is not None:
        prediction, truth = prediction & ~ignored, truth & ~ignored
    union = int((prediction | truth).sum())
    return int((prediction & truth).sum()) / union if union else 1.0


def _click_first(view: View, index: int) -> Cell:
    """The cell of a target, with a click on its innermost pixel."""
    cell = Cell(view.targets[index], view.valid, "visual", np.random.default_rng(0))
    cell.used = np.zeros(view.valid, bool)
    if view.ignored is not None:
        cell.ignored = view.ignored[: view.valid[0], : view.valid[1]]
    click = next_click(np.zeros(view.valid, bool), cell.truth)
    assert click is not None, "no target is empty"
    x, y, _ = click
    mask = np.zeros(view.valid, bool)
    mask[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = True
    cell.regions.append(Region(mask))
    cell.used = mask
    return cell

"""The protocol of RITM and its successors (Sofiiuk et al., Reviving Iterative Training with Mask Guidance, ICIP 2022).

The next click is the innermost pixel of the error by the exact Euclidean distance transform; the image border counts
as outside, and no pixel is clicked twice. The paper says the largest error; its code, and so everybody who reports
with it, takes the error that is deepest, and this does the same. `largest` is the protocol by the words of the paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from seemkit.evaluation.protocols.clicker import Click, Clicker, Jitter, Seen
from seemkit.training.clicks import depth, next_click

if TYPE_CHECKING:
    from seemkit.geometry.grid import Grid

__all__ = ["LargestClicker", "RitmClicker"]

Mask = NDArray[np.bool_]


class RitmClicker(Clicker):
    """Clicks on the deepest error, on the original image, for as long as there is one."""

    name = "RITM clicks"

    def __init__(self, truth: Mask, ignore: Mask, grid: Grid, jitter: Jitter | None = None) -> None:
        super().__init__(truth, ignore, grid, jitter)
        self.used = np.zeros(truth.shape, bool)

    def next(self, seen: Seen | None) -> Click | None:
        prediction = np.zeros(self.truth.shape, bool) if seen is None else seen.mask
        found = self._find(prediction)
        if found is None:
            return None
        column, row, positive = found
        wrong = self.truth & ~prediction if positive else prediction & ~self.truth
        error = _part_at(wrong & ~self.ignore, row, column)
        row, column = self._steady(row, column, error, ~self.used)
        self.used[row, column] = True
        return Click(column + 0.5, row + 0.5, positive, error)

    def _find(self, prediction: Mask) -> tuple[int, int, bool] | None:
        """(x, y, positive) of the pixel that is clicked."""
        return next_click(prediction, self.truth, self.used, self.ignore)


class LargestClicker(RitmClicker):
    """Clicks the innermost pixel of the connected error that has most pixels, missed or wrong."""

    name = "largest-error clicks"

    def _find(self, prediction: Mask) -> tuple[int, int, bool] | None:
        best: tuple[int, Mask, bool] | None = None
        for positive, error in ((False, prediction & ~self.truth), (True, self.truth & ~prediction)):
            labels, count = ndimage.label(error & ~self.ignore, np.ones((3, 3)))
            areas = np.bincount(labels.ravel(), minlength=count + 1)
            areas[0] = 0
            for label in areas.argsort(kind="stable")[::-1]:
                part = labels == label
                if areas[label] and (part & ~self.used).any():
                    if best is None or areas[label] > best[0]:
                        best = int(areas[label]), part, positive
                    break
        if best is None:
            return None
        _, part, positive = best
        row, column = divmod(int((depth(part) * ~self.used).argmax()), part.shape[1])
        return column, row, positive


def _part_at(error: Mask, row: int, column: int) -> Mask:
    labels, _ = ndimage.label(error, np.ones((3, 3)))
    return np.asarray(labels == labels[row, column])

"""The protocol of the published SEEM (its code, version 1.0), one object at a time.

It clicks on the input grid. The first click is the centre of the object. Later ones go to the missed or to the
wrongly selected area, whichever has more pixels that no prompt covered yet (a tie is negative), at the centre of the
whole area. Centres are by :func:`convolved_distance`; a click covers 3 x 3 pixels, another prompt what it selects, and
what only lies around the object, as a box does, covers nothing. Nothing is clicked on an answer
with an IoU of 0.925 there, and once the IoU on the original image exceeds 0.9 the conversation ends.

Where the code resizes masks to the input it does so bicubically; they are cut at one half here. It clicks into the
padding of the input too, which is no part of the photo; that is left out, as are pixels that a data set says to ignore,
of which the code knows nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from seemkit.evaluation.metrics.masks import iou
from seemkit.evaluation.protocols.clicker import Click, Clicker, Jitter, Seen
from seemkit.evaluation.protocols.convolved_distance import convolved_distance
from seemkit.prompting.prompt import SpatialPrompt

if TYPE_CHECKING:
    from seemkit.geometry.grid import Grid
    from seemkit.prompting.prompt import Prompt

__all__ = ["OriginalClicker"]

Mask = NDArray[np.bool_]
GOOD_ENOUGH = 0.925
"""IoU on the input grid from which nothing is clicked."""
SATISFIED = 0.9
"""IoU on the original image above which the conversation ends."""


class OriginalClicker(Clicker):
    """Clicks the centre of the larger of all that is missed and all that is wrong, on the input grid."""

    name = "SEEM clicks"
    rounds_without_click = True

    def __init__(self, truth: Mask, ignore: Mask, grid: Grid, jitter: Jitter | None = None) -> None:
        super().__init__(truth, ignore, grid, jitter)
        self._truth = _resize(truth, grid.size, "bicubic")
        self._ignored = _resize(ignore, grid.size, "nearest-exact")
        self._prompted = np.zeros(grid.size, bool)

    def next(self, seen: Seen | None) -> Click | None:
        made = np.zeros(self._truth.shape, bool) if seen is None else seen.on_grid()
        if seen is not None and iou(made, self._truth, self._ignored) >= GOOD_ENOUGH:
            return None
        free = ~(self._prompted | self._ignored)
        missed, wrong = self._truth & ~made & free, made & ~self._truth & free
        positive = int(missed.sum()) > int(wrong.sum())
        error = missed if positive else wrong
        if not error.any():
            return None
        row, column = divmod(int(convolved_distance(error).argmax()), error.shape[1])
        row, column = self._steady(row, column, error, error)
        self._prompted[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
        across, down = self.grid.scale
        area = _resize(error, self.grid.original, "nearest-exact")
        return Click((column + 0.5) / across, (row + 0.5) / down, positive, area)

    def told(self, prompt: Prompt) -> None:
        if isinstance(prompt, SpatialPrompt):
            region = prompt.region(self.grid)
            if region.kind == "exact":
                self._prompted |= region.mask

    def satisfied(self, iou: float) -> bool:
        return iou > SATISFIED


def _resize(mask: Mask, size: tuple[int, int], mode: str) -> Mask:
    if mask.shape == size:
        return mask
    planes = torch.from_numpy(mask).float()[None, None]
    options = {"align_corners": False} if mode == "bicubic" else {}
    return np.asarray(functional.interpolate(planes, size=size, mode=mode, **options)[0, 0].numpy() > 0.5)

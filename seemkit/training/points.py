"""Random points that mask losses are taken at, drawn view by view so that no draw depends on the rest of a batch."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["PointDraws", "sample_maps"]


TRIES = 6
"""So often a point that lies where nothing counts is drawn again."""


class PointDraws:
    """Uniform points on the pictures of B views, never on their padding.

    Args:
        generators: one for each view, on the CPU.
        valid: (height, width) of each picture on its canvas.
        size: S, side of the canvas in pixels.
        device: where the points are wanted.
        ignored: (S, S) bool of each view, pixels that no point should lie on; None for none.
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        valid: Sequence[tuple[int, int]],
        size: int,
        device: torch.device,
        ignored: Sequence[NDArray[np.bool_] | None] | None = None,
    ) -> None:
        self.generators = list(generators)
        self.ignored = list(ignored or [None] * len(self.generators))
        self.extent = [torch.tensor([width / size, height / size]) for height, width in valid]
        self.device = device

    def shared(self, count: int) -> Tensor:
        """(B, P, 2) points as (x, y) in [0, 1] of the canvas, for all masks of a view alike."""
        return torch.stack([self._draw(view, 1, count)[0] for view in range(len(self.extent))]).to(
            self.device
        )

    def each(self, pairs: Sequence[int], count: int) -> Tensor:
        """(K, P, 2) points for K pairs of masks, `pairs` of them in each view, view by view."""
        drawn = [self._draw(view, number, count) for view, number in enumerate(pairs)]
        return torch.cat(drawn).to(self.device)

    def _draw(self, view: int, number: int, count: int) -> Tensor:
        xy = torch.rand(number, count, 2, generator=self.generators[view]) * self.extent[view]
        ignored = self.ignored[view]
        if ignored is None:
            return xy
        blank, size = torch.from_numpy(ignored), ignored.shape[0]
        for _ in range(TRIES):
            column, row = (xy * size).long().clamp(max=size - 1).unbind(-1)
            again = torch.rand(number, count, 2, generator=self.generators[view]) * self.extent[view]
            xy = torch.where(blank[row, column][..., None], again, xy)
        return xy


def sample_maps(maps: Tensor, xy: Tensor) -> Tensor:
    """Maps (N, Q, h, w) at points (N, P, 2) in [0, 1], bilinear, align_corners False: (N, Q, P)."""
    out = functional.grid_sample(maps, (2 * xy - 1)[:, None], mode="bilinear", align_corners=False)
    return out[:, :, 0]

"""Random points that mask losses are taken at, drawn view by view so that no draw depends on the rest of a batch."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["PointDraws", "sample_maps"]


class PointDraws:
    """Uniform points on the pictures of B views, never on their padding.

    Args:
        generators: one for each view, on the CPU.
        valid: (height, width) of each picture on its canvas.
        size: S, side of the canvas in pixels.
        device: where the points are wanted.
        ignored: (S, S) bool of each view, pixels that no point lies on, unless none is left; None for none.
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
        given = ignored or [None] * len(self.generators)
        self.counted = [
            None if blank is None else torch.from_numpy(np.flatnonzero(~blank[:height, :width]))
            for blank, (height, width) in zip(given, valid, strict=True)
        ]
        self.valid, self.size = list(valid), size
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
        xy = torch.rand(number, count, 2, generator=self.generators[view])
        counted, width = self.counted[view], self.valid[view][1]
        if counted is None or not len(counted):
            return xy * self.extent[view]
        chosen = torch.randint(len(counted), (number, count), generator=self.generators[view])
        pixel = counted[chosen]
        corner = torch.stack((pixel % width, pixel // width), -1)  # number x count x 2
        return (corner + xy) / self.size


def sample_maps(maps: Tensor, xy: Tensor) -> Tensor:
    """Maps (N, Q, h, w) at points (N, P, 2) in [0, 1], bilinear, align_corners False: (N, Q, P)."""
    out = functional.grid_sample(maps, (2 * xy - 1)[:, None], mode="bilinear", align_corners=False)
    return out[:, :, 0]

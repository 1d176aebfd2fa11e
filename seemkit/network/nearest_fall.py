"""The least of a product over some of the points, cell by cell, forwards and backwards, with little held at once.

The products of all points with all cells would be the largest tensor of a step of training by far. Where a CPU learns,
one object is looked at after the other, and of its points only those that count; backwards their products are computed
anew. Elsewhere nothing is read back in between.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["nearest_fall"]

AT_ONCE = {"cpu": 2_000_000, "other": 64_000_000}
"""So many products are held at once, by device: on a CPU they stay in its cache."""


def nearest_fall(spots: Tensor, cells: Tensor, mine: Tensor | None) -> Tensor:
    """For every cell the least product with those points of an object that count.

    Args:
        spots: (N, S, T, D) of T points of N = B * n objects, image by image, in S kernels.
        cells: (B, D, P) of the P cells of B images.
        mine: (K, N, T) which points count, in K ways; None for all, in one way.

    Returns:
        (K, N, S, P), infinity where an object has no point that counts.
    """
    if (
        spots.device.type == "cpu"
        and torch.is_grad_enabled()
        and (spots.requires_grad or cells.requires_grad)
    ):
        if mine is None:
            mine = spots.new_ones(1, len(spots), spots.shape[2], dtype=torch.bool)
        found: Tensor = NearestFall.apply(spots, cells, mine)
        return found
    size = spots.shape[1] * spots.shape[2] * cells.shape[2]
    each = len(spots) // len(cells)
    some = max(1, AT_ONCE["cpu" if spots.device.type == "cpu" else "other"] // max(size, 1))
    if some >= len(spots):
        return least_of(spots, cells, mine)
    parts = []
    for image in range(len(cells)):
        for start in range(image * each, (image + 1) * each, some):
            part = slice(start, min(start + some, (image + 1) * each))
            own = None if mine is None else mine[:, part]
            parts.append(least_of(spots[part], cells[image : image + 1], own))
    return torch.cat(parts, 1)


def least_of(spots: Tensor, cells: Tensor, mine: Tensor | None) -> Tensor:
    """The same with all products held at once, and nothing read back from the device in between."""
    n, s, t, d = spots.shape
    fall = (spots.reshape(len(cells), -1, d) @ cells).view(n, s, t, -1)
    if mine is None:
        return fall.amin(2)[None]
    return torch.stack([fall.masked_fill(~way[:, None, :, None], torch.inf).amin(2) for way in mine])


class NearestFall(torch.autograd.Function):
    """The gradient goes to the nearest point, or to one of several that are equally near."""

    @staticmethod
    def forward(ctx: Any, spots: Tensor, cells: Tensor, mine: Tensor) -> Tensor:
        """See :func:`nearest_fall`."""
        ctx.save_for_backward(spots, cells, mine)
        shape = (len(mine), len(spots), spots.shape[1], cells.shape[2])
        least = spots.new_full(shape, torch.inf)
        for way, place, image, counts in each_object(cells, mine):
            least[way, place] = (spots[place, :, counts] @ cells[image]).amin(1)
        return least

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        """From (K, N, S, P) to the gradients of points and cells."""
        spots, cells, mine = ctx.saved_tensors
        of_spots, of_cells = torch.zeros_like(spots), torch.zeros_like(cells)
        for way, place, image, counts in each_object(cells, mine):
            some = spots[place, :, counts]  # S x t x D
            fall = some @ cells[image]
            nearest = fall.argmin(1, keepdim=True)
            falling = torch.zeros_like(fall).scatter_(1, nearest, grad[way, place, :, None])
            of_spots[place, :, counts] += falling @ cells[image].T
            of_cells[image].addmm_(some.flatten(0, 1).T, falling.flatten(0, 1))
        return of_spots, of_cells, None


def each_object(cells: Tensor, mine: Tensor) -> Iterator[tuple[int, int, int, Tensor]]:
    """Way, object, its image, and the indices of the points that count, where there are any."""
    objects = mine.shape[1] // len(cells)
    for way, place in mine.any(-1).nonzero().tolist():
        yield way, place, place // objects, mine[way, place].nonzero()[:, 0]

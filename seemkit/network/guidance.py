"""A mask term that follows the points themselves: a preset's option for models that learn from few pictures.

A mask that is one dot product a pixel cannot be corrected locally. This term spreads each point to the pixels that
lie near it and look like it, as click maps do in interactive networks (Sofiiuk et al., RITM, ICIP 2022), and it keeps
what the round before found where somebody points at the object in this very picture. An object that is followed from
one frame to the next has moved: of its last mask the memory rows make what they can.
"""

import numpy as np
import torch
from torch import Tensor, nn

from seemkit.network.nearest_fall import nearest_fall
from seemkit.network.position import pixel_centres
from seemkit.network.precision import at_least_single
from seemkit.network.resampling import bilinear
from seemkit.network.sampler import PointBatch

__all__ = ["Guidance"]

WIDTH = 32
POINTS = 48
"""Points of an object that are spread; more are thinned evenly."""
LOOKS = (0.0, 4.0, 12.0)
"""How fast each kernel falls with unlikeness, at first."""
NEAR = (400.0, 60.0, 6.0)
"""How fast each kernel falls with the squared distance, in units of the input's longer side, at first."""
REACH = 8.0
"""Logits of the round before count up to this."""


class Guidance(nn.Module):
    """Kernels over looks and distance; gains for each sign and kind of point and for memory.

    Args:
        dim: C of the mask features.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Linear(dim, WIDTH, bias=False)
        self.looks = nn.Parameter(torch.tensor(LOOKS))
        self.near = nn.Parameter(torch.tensor(NEAR).log())
        self.gain = nn.Parameter(torch.ones(2, 2, len(LOOKS)))
        self.memory = nn.Parameter(torch.tensor(0.3))

    def forward(self, features: Tensor, points: PointBatch, previous: Tensor | None) -> tuple[Tensor, Tensor]:
        """Logits to add to every candidate's mask, and the kernels that they are made of.

        Args:
            features: mask features (B, C, h, w).
            points: of N = B * n objects, scene by scene.
            previous: (N, h, w) logits of the round before, 0 where an object has none; None for no object. They
                count for objects that have a point.

        Returns:
            (N, h, w), and (N, 12, h, w) in [0, 1]: for each sign, kind of point and kernel how near the next point is.
        """
        features = at_least_single(features)
        _, _, h, w = features.shape
        n = points.xy.shape[0]
        total = features.new_zeros(n, h * w)
        drawn = [features.new_zeros(n, len(LOOKS), h * w)] * 4
        if points.xy.shape[1]:
            points = thin(points, POINTS)
            looks = torch.einsum("bchw,dc->bdhw", features, self.proj.weight)
            here = nn.functional.normalize(bilinear(looks, points.xy), dim=-1)  # N x T x d
            there = nn.functional.normalize(looks, dim=1).flatten(2)  # B x d x hw
            spots, cells = self._terms(here, points.xy, there, (h, w))
            known = points.known
            kinds = [
                (sign, kind)
                for sign in (0, 1)
                for kind in (0, 1)
                if known is None or (bool(sign), bool(kind)) in known.kinds
            ]
            mine = None
            if known is None or len(kinds) > 1 or min(known.counts) < points.xy.shape[1]:
                mine = torch.stack([
                    (points.negative == bool(sign)) & (points.extent == bool(kind)) & ~points.padding
                    for sign, kind in kinds
                ])  # fmt: skip
            least = nearest_fall(spots, cells, mine)  # K x N x S x hw
            for (sign, kind), fall in zip(kinds, least, strict=True):
                gain = (1 - 2 * sign) * self.gain[sign, kind, :, None]
                drawn[2 * sign + kind] = torch.exp(-fall)
                total = total + (gain * drawn[2 * sign + kind]).sum(1)
        if previous is not None and points.xy.shape[1]:
            pointed = (~points.padding).any(1, keepdim=True)
            total = total + self.memory * pointed * previous.flatten(1).clamp(-REACH, REACH)
        return total.view(n, h, w), torch.cat(drawn, 1).view(n, -1, h, w)

    def _terms(self, here: Tensor, xy: Tensor, there: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """What each kernel's fall is a product of: of points (N, S, T, d + 4) and of cells (B, d + 4, hw).

        The fall from a point p to a cell c is a (1 - looks_p . looks_c) + b |p - c|^2, which is one dot product.
        """
        h, w = size
        place, spot = (_from_middle(x, h, w) for x in (pixel_centres(h, w, xy), xy))  # hw x 2, N x T x 2
        looks = self.looks.abs()[:, None, None]  # S x 1 x 1
        near = self.near.exp()[:, None, None]
        squared = (spot**2).sum(-1, keepdim=True)[:, None]  # N x 1 x T x 1
        spots = torch.cat(
            (
                -looks * here[:, None],
                -2 * near * spot[:, None],
                looks + near * squared,
                (near + torch.zeros_like(squared)),
            ),
            dim=-1,
        )
        ones = torch.ones_like(place[:, :1])
        cells = torch.cat((place, ones, (place**2).sum(-1, keepdim=True)), dim=-1).T  # 4 x hw
        return spots, torch.cat((there, cells.expand(len(there), -1, -1)), dim=1)


def _from_middle(xy: Tensor, h: int, w: int) -> Tensor:
    """Points (..., 2) in [0, 1] as places around the middle, in units of the longer side.

    Near zero a difference of squares keeps its digits.
    """
    longer = np.float32(max(h, w))
    across, down = (float(np.float32(side) / longer) for side in (w, h))
    return torch.stack((xy[..., 0] * across - across / 2, xy[..., 1] * down - down / 2), dim=-1)


def thin(points: PointBatch, count: int) -> PointBatch:
    """At most `count` points of each object, evenly spread over its list."""
    if points.xy.shape[1] <= count:
        return points
    there = (~points.padding).sum(1, keepdim=True)  # N x 1
    place = torch.arange(count, device=there.device)[None]
    spread = ((place + 0.5) * there / count).long()
    index = torch.where(there > count, spread, place)
    negative, extent, padding = (x.gather(1, index) for x in (points.negative, points.extent, points.padding))
    xy = points.xy.gather(1, index[..., None].expand(-1, -1, 2))
    return PointBatch(xy, negative, extent, padding, points.known)

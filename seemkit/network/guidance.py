"""A mask term that follows the points themselves: a preset's option for models that learn from few pictures.

A mask that is one dot product a pixel cannot be corrected locally. This term spreads each point to the pixels that
lie near it and look like it, as click maps do in interactive networks (Sofiiuk et al., RITM, ICIP 2022), and it keeps
what the round before found.
"""

import torch
from torch import Tensor, nn

from seemkit.network.position import pixel_centres
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

    def forward(self, features: Tensor, points: PointBatch, previous: Tensor | None) -> Tensor:
        """Logits to add to every candidate's mask.

        Args:
            features: mask features (B, C, h, w).
            points: of N = B * n objects, scene by scene.
            previous: (N, h, w) logits of the round before, 0 where an object has none; None for no object.

        Returns:
            (N, h, w)
        """
        b, _, h, w = features.shape
        n = points.xy.shape[0]
        total = features.new_zeros(n, h * w)
        if points.xy.shape[1]:
            points = thin(points, POINTS)
            looks = torch.einsum("bchw,dc->bdhw", features, self.proj.weight)
            here = nn.functional.normalize(bilinear(looks, points.xy), dim=-1)  # N x T x d
            there = nn.functional.normalize(looks, dim=1).flatten(2)  # B x d x hw
            unlike = 1 - (here.view(b, -1, here.shape[-1]) @ there).view(n, -1, h * w)
            away = squared_distance(points.xy, h, w)
            for scale in range(len(LOOKS)):
                fall = self.looks[scale].abs() * unlike + self.near[scale].exp() * away
                kernel = torch.exp(-fall)  # N x T x hw
                for sign in (0, 1):
                    for kind in (0, 1):
                        mine = (
                            (points.negative == bool(sign)) & (points.extent == bool(kind)) & ~points.padding
                        )
                        if mine.any():
                            spread = (kernel * mine[..., None]).amax(1)
                            total = total + (1 - 2 * sign) * self.gain[sign, kind, scale] * spread
        if previous is not None:
            total = total + self.memory * previous.flatten(1).clamp(-REACH, REACH)
        return total.view(n, h, w)


def thin(points: PointBatch, count: int) -> PointBatch:
    """At most `count` points of each object, evenly spread over its list."""
    if points.xy.shape[1] <= count:
        return points
    there = (~points.padding).sum(1, keepdim=True)  # N x 1
    place = torch.arange(count, device=there.device)[None]
    spread = ((place + 0.5) * there / count).long()
    index = torch.where(there > count, spread, place)
    return PointBatch(
        points.xy.gather(1, index[..., None].expand(-1, -1, 2)),
        *(x.gather(1, index) for x in (points.negative, points.extent, points.padding)),
    )


def squared_distance(xy: Tensor, h: int, w: int) -> Tensor:
    """(N, T, hw) from points, normalised by the input's size, to cells, in units of its longer side."""
    scale = xy.new_tensor([w, h]) / max(h, w)
    cells = pixel_centres(h, w, xy) * scale  # hw x 2
    placed = xy * scale
    return ((placed[:, :, None] - cells) ** 2).sum(-1)

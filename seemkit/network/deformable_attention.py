"""Attention of every cell to a few learned places around it, on every level of a feature pyramid."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["DeformableAttention", "cell_centres"]


class DeformableAttention(nn.Module):
    """Multi-scale deformable attention (Zhu et al., Deformable DETR, ICLR 2021, eq. 3) by `grid_sample`.

    Args:
        dim: C, width of the rows.
        heads: how many heads C is split into.
        levels: L, maps that are read.
        points: P, places that a head reads on each map.
    """

    def __init__(self, dim: int, heads: int, levels: int, points: int) -> None:
        super().__init__()
        self.heads, self.levels, self.points = heads, levels, points
        self.sampling_offsets = nn.Linear(dim, heads * levels * points * 2)
        self.attention_weights = nn.Linear(dim, heads * levels * points)
        self.value_proj = nn.Linear(dim, dim)
        self.output_proj = nn.Linear(dim, dim)
        self._spread()

    def forward(
        self, query: Tensor, value: Tensor, centres: Tensor, sizes: Sequence[tuple[int, int]]
    ) -> Tensor:
        """Attend.

        Args:
            query: (B, T, C).
            value: (B, S, C), the cells of all maps, map after map and row after row.
            centres: (T, 2) as (x, y) in [0, 1], around which a row reads on every map.
            sizes: (h, w) of each map.

        Returns:
            (B, T, C)
        """
        b, t, c = query.shape
        split = (b, t, self.heads, self.levels, self.points)
        offsets = self.sampling_offsets(query).view(*split, 2)  # in cells of the map that is read
        weights = self.attention_weights(query).view(b, t, self.heads, -1).softmax(-1).view(split)
        maps = self.value_proj(value).split([h * w for h, w in sizes], dim=1)
        total = query.new_zeros(b * self.heads, c // self.heads, t)
        for level, (h, w) in enumerate(sizes):
            cells = maps[level].transpose(1, 2).reshape(b * self.heads, -1, h, w)
            places = centres[:, None, None] + offsets[:, :, :, level] / offsets.new_tensor([w, h])
            total = total + read(cells, per_head(places), per_head(weights[:, :, :, level]))
        out: Tensor = self.output_proj(total.view(b, c, t).transpose(1, 2))
        return out

    def _spread(self) -> None:
        """Begin with even weights on places in as many directions as there are heads, 1 to P cells away."""
        angle = torch.arange(self.heads) * (2 * math.pi / self.heads)
        direction = torch.stack((angle.cos(), angle.sin()), dim=-1)
        direction = direction / direction.abs().amax(-1, keepdim=True)
        steps = torch.arange(1, self.points + 1)
        with torch.no_grad():
            places = direction[:, None, None] * steps[:, None]  # heads x 1 x P x 2
            self.sampling_offsets.bias.copy_(places.expand(-1, self.levels, -1, -1).flatten())
            for zero in (self.sampling_offsets.weight, *self.attention_weights.parameters()):
                zero.zero_()
            for layer in (self.value_proj, self.output_proj):
                nn.init.xavier_uniform_(layer.weight)
                layer.bias.zero_()


def per_head(x: Tensor) -> Tensor:
    """(B, T, heads, ...) to (B * heads, T, ...)."""
    return x.transpose(1, 2).flatten(0, 1)


def read(cells: Tensor, places: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum of bilinear samples, of zeros outside.

    Args:
        cells: (N, d, h, w).
        places: (N, T, P, 2) as (x, y), 0 and 1 being the edges of the map.
        weights: (N, T, P).

    Returns:
        (N, d, T)
    """
    found = functional.grid_sample(
        cells, 2 * places - 1, mode="bilinear", padding_mode="zeros", align_corners=False
    )  # N x d x T x P
    return (found * weights[:, None]).sum(-1)


def cell_centres(sizes: Sequence[tuple[int, int]], like: Tensor) -> Tensor:
    """(S, 2) centres of the cells of all maps as (x, y) in [0, 1], map after map and row after row."""
    centres = []
    for h, w in sizes:
        y = (torch.arange(h, dtype=like.dtype, device=like.device) + 0.5) / h
        x = (torch.arange(w, dtype=like.dtype, device=like.device) + 0.5) / w
        centres.append(torch.stack((x.expand(h, w), y[:, None].expand(h, w)), dim=-1).flatten(0, 1))
    return torch.cat(centres)

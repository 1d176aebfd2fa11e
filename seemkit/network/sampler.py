"""The visual sampler: points of a region become tokens of every feature level and one anchor.

Source: SEEM's visual sampler (section 3.1): features at up to 512 points an object and sign, projected, plus
a learned sign; the mean of the mask features at the positive points is the anchor that chooses the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from seemkit.geometry.points import PointSet
from seemkit.network.position import encode_points
from seemkit.network.prepared import PreparedScene
from seemkit.network.presets import Preset
from seemkit.network.resampling import bilinear

__all__ = ["PointBatch", "RegionSampler", "RegionTokens", "stack_points"]


@dataclass(frozen=True, eq=False)
class PointBatch:
    """Points of N objects, padded.

    Attributes:
        xy: (N, T, 2) as (x, y), normalised to [0, 1) by the padded input size, top-left convention.
        negative: (N, T) bool.
        extent: (N, T) bool.
        padding: (N, T) bool, True where there is no point.
    """

    xy: Tensor
    negative: Tensor
    extent: Tensor
    padding: Tensor


@dataclass(frozen=True, eq=False)
class RegionTokens:
    """What the sampler gives for N objects.

    Attributes:
        content: per level (N, T, C).
        position: per level (N, T, C).
        padding: (N, T) bool; one a level if the points of the levels differ.
        anchor: (N, C) mean mask feature of the positive points; zero without any.
        evidence: (N,) bool, True where there is a positive point.
        centre: (N, C) mean position encoding of the positive points; None where the preset has none.
    """

    content: tuple[Tensor, ...]
    position: tuple[Tensor, ...]
    padding: Tensor | tuple[Tensor, ...]
    anchor: Tensor
    evidence: Tensor
    centre: Tensor | None


def stack_points(
    sets: Sequence[PointSet | None], padded: tuple[int, int], like: Tensor, length: int = 0
) -> PointBatch:
    """Pad the points of N objects on an input of (H, W) padded pixels; None is an object without points.

    There are places for `length` points at least.
    """
    longest = max([length, *(len(s.xy) for s in sets if s is not None)])
    xy = np.zeros((len(sets), longest, 2), np.float32)
    negative = np.zeros((len(sets), longest), bool)
    extent = np.zeros((len(sets), longest), bool)
    padding = np.ones((len(sets), longest), bool)
    for i, points in enumerate(sets):
        if points is not None:
            count = len(points.xy)
            xy[i, :count] = points.xy / np.array([padded[1], padded[0]], np.float32)
            negative[i, :count] = points.negative
            extent[i, :count] = points.extent
            padding[i, :count] = False
    return PointBatch(
        torch.from_numpy(xy).to(like),
        *(torch.from_numpy(x).to(like.device) for x in (negative, extent, padding)),
    )


class RegionSampler(nn.Module):
    """The learned part: one projection a level, a vector a sign (and, in some presets, a kind)."""

    def __init__(self, dim: int, preset: Preset, levels: int = 3) -> None:
        super().__init__()
        self.preset = preset
        self.level_proj = nn.ParameterList(torch.empty(dim, dim) for _ in range(levels))
        self.sign_embed = nn.Parameter(torch.randn(2, dim))
        for weight in self.level_proj:
            nn.init.xavier_uniform_(weight)
        if preset.region_kinds:
            self.kind_embed = nn.Parameter(torch.randn(2, dim))

    def forward(self, scene: PreparedScene, points: PointBatch | Sequence[PointBatch]) -> RegionTokens:
        """Sample.

        Args:
            scene: B scenes; objects are laid out scene by scene.
            points: one batch for everything, or one for each level and a last one for the anchor (the
                original draws them one by one).
        """
        batches = [points] if isinstance(points, PointBatch) else list(points)
        batches = batches * (len(scene.levels) + 1) if len(batches) == 1 else batches
        content, position = [], []
        for level, batch in zip(range(len(scene.levels)), batches, strict=False):
            token = self._tokens(scene.levels[level], batch, level)
            content.append(token)
            placed = token
            if self.preset.region_position:
                placed = placed + encode_points(token.shape[-1], batch.xy)
            position.append(placed)
        last = batches[-1]
        positive = ~(last.padding | last.negative)
        weight = positive.to(self.sign_embed.dtype)
        weight = weight / weight.sum(1, keepdim=True).clamp(min=1)
        anchor = scene.mask_features.mean_at(last.xy, weight)
        centre = None
        if self.preset.region_position:
            centre = (encode_points(anchor.shape[-1], last.xy) * weight[..., None]).sum(1)
        first = batches[0].padding
        alike = all(b.padding is first or torch.equal(b.padding, first) for b in batches[:-1])
        padding = first if alike else tuple(batch.padding for batch in batches[:-1])
        return RegionTokens(tuple(content), tuple(position), padding, anchor, positive.any(1), centre)

    def _tokens(self, feature: Tensor, points: PointBatch, level: int) -> Tensor:
        token: Tensor = bilinear(feature, points.xy) @ self.level_proj[level]
        token = token + self.sign_embed[points.negative.long()]
        if self.preset.region_kinds:
            token = token + self.kind_embed[points.extent.long()]
        return token

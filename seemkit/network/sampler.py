"""The visual sampler: points of a region become tokens of every feature level and one anchor.

Source: SEEM's visual sampler (section 3.1): features at up to 512 points an object and sign, projected, plus
a learned sign; the mean of the mask features at the positive points is the anchor that chooses the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from seemkit.geometry.points import PointSet
from seemkit.network.position import encode_points
from seemkit.network.precision import at_least_single
from seemkit.network.prepared import PreparedScene
from seemkit.network.presets import Preset
from seemkit.network.resampling import bilinear
from seemkit.network.transfer import send

__all__ = ["KnownPoints", "PointBatch", "RegionSampler", "RegionTokens", "stack_points"]


@dataclass(frozen=True)
class KnownPoints:
    """What the host knows of a batch of points, so that it need not ask the device.

    Attributes:
        counts: how many points each object has.
        positive: whether any of them speaks for the object.
        kinds: the pairs (negative, extent) that occur.
    """

    counts: tuple[int, ...]
    positive: tuple[bool, ...]
    kinds: frozenset[tuple[bool, bool]]


@dataclass(frozen=True, eq=False)
class PointBatch:
    """Points of N objects, padded.

    Attributes:
        xy: (N, T, 2) as (x, y), normalised to [0, 1) by the padded input size, top-left convention.
        negative: (N, T) bool.
        extent: (N, T) bool.
        padding: (N, T) bool, True where there is no point.
        known: what the host knows of them; None if that is nothing.
    """

    xy: Tensor
    negative: Tensor
    extent: Tensor
    padding: Tensor
    known: KnownPoints | None = None

    def moved(self, which: Tensor, place: Tensor) -> "PointBatch":
        """The points of some objects (N,) moved to one place each, (N, 2)."""
        xy = torch.where(which[:, None, None], place[:, None].to(self.xy), self.xy)
        return replace(self, xy=xy)


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
    sets: Sequence[PointSet | None],
    padded: tuple[int, int],
    like: Tensor,
    length: int = 0,
    *,
    pinned: bool = False,
) -> PointBatch:
    """Pad the points of N objects; the host does not wait for them to reach the device.

    Args:
        sets: the points of each object; None is an object without any.
        padded: (H, W) of the padded input.
        like: a tensor that gives the device, and the dtype unless that is of less than single precision.
        length: there are places for so many points at least.
        pinned: send them by way of pinned memory.
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
    place = at_least_single(like.new_empty(0)).dtype
    arrays = (torch.from_numpy(xy).to(place), *(torch.from_numpy(x) for x in (negative, extent, padding)))
    there, negatives, extents, missing = (send(x, like.device, pinned) for x in arrays)
    return PointBatch(there, negatives, extents, missing, _know(sets))


def _know(sets: Sequence[PointSet | None]) -> KnownPoints:
    given = [points for points in sets if points is not None]
    kinds = {
        divmod(int(code), 2)
        for points in given
        for code in np.flatnonzero(np.bincount(2 * points.negative + points.extent))
    }
    return KnownPoints(
        tuple(0 if points is None else len(points.xy) for points in sets),
        tuple(points is not None and points.positives > 0 for points in sets),
        frozenset((bool(negative), bool(extent)) for negative, extent in kinds),
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
        last = batches[-1]
        content = [self._tokens(scene.levels[k], batch, k) for k, batch in enumerate(batches[:-1])]
        position = content
        if self.preset.region_position:
            where = encode_points(len(self.sign_embed[0]), last.xy)
            position = [
                token + (where if batch is last else encode_points(token.shape[-1], batch.xy))
                for token, batch in zip(content, batches[:-1], strict=True)
            ]
        positive = ~(last.padding | last.negative)
        weight = positive.to(self.sign_embed.dtype)
        weight = weight / weight.sum(1, keepdim=True).clamp(min=1)
        anchor = scene.mask_features.mean_at(last.xy, weight)
        centre = None
        if self.preset.region_position:
            centre = (where * weight[..., None]).sum(1)
        first = batches[0]
        alike = all(_same_places(batch, first) for batch in batches[:-1])
        padding = first.padding if alike else tuple(batch.padding for batch in batches[:-1])
        return RegionTokens(tuple(content), tuple(position), padding, anchor, positive.any(1), centre)

    def _tokens(self, feature: Tensor, points: PointBatch, level: int) -> Tensor:
        token: Tensor = bilinear(feature, points.xy) @ self.level_proj[level]
        token = token + self.sign_embed[points.negative.long()]
        if self.preset.region_kinds:
            token = token + self.kind_embed[points.extent.long()]
        return token


def _same_places(one: PointBatch, other: PointBatch) -> bool:
    """Whether two batches have points at the same places."""
    if one.padding is other.padding:
        return True
    if one.known is not None and other.known is not None:
        return one.known.counts == other.known.counts and one.padding.shape == other.padding.shape
    return torch.equal(one.padding, other.padding)

"""How legacy options change what is composed: drawn points, drawn queries, and which objects go together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from seemkit.geometry.points import BUDGET, PointSet
from seemkit.network.legacy import Draws
from seemkit.network.sampler import stack_points

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from seemkit.geometry.region import Region
    from seemkit.network.legacy import Legacy
    from seemkit.network.network import Network
    from seemkit.network.prepared import PreparedScene
    from seemkit.network.sampler import PointBatch
    from seemkit.pipeline.compose import ObjectPrompts
    from seemkit.prompting.prompt import Prompt
    from seemkit.scene import Scene

__all__ = ["draw_memory", "draw_points", "draw_queries", "legacy_of", "seeded_draws", "split_objects"]

Masks = Sequence["NDArray[np.bool_]"]


def draw_points(
    scene: Scene,
    prepared: PreparedScene,
    regions: Sequence[Sequence[Region]],
    legacy: Legacy,
    draws: Draws,
    pinned: bool = False,
) -> list[PointBatch]:
    """Points for each level and last for the anchor, which is drawn first; all of them are drawn anew.

    Regions are united by sign and nothing else: extents have no ring, and what is excluded is not taken out.
    """
    height, width = scene.grid.size
    blank = np.zeros((height, width), bool)
    signs = [
        [np.any([blank, *(r.mask for r in each if r.include is include)], axis=0) for each in regions]
        for include in (True, False)
    ]
    draw = _draw_shared if legacy.shared_points else _draw_own
    sets = []
    for _ in range(len(prepared.levels) + 1):
        positive, negative = draw(signs[0], draws), draw(signs[1], draws)
        sets.append([_unite(p, n) for p, n in zip(positive, negative, strict=True)])
    anchor, *levels = sets
    longest = max(len(points.xy) for each in sets for points in each)
    stack = partial(stack_points, padded=scene.padded, like=prepared.levels[0], pinned=pinned)
    return [*(stack(each, length=longest) for each in levels), stack(anchor)]


def draw_queries(
    content: Tensor, position: Tensor, objects: int, legacy: Legacy, draws: Draws
) -> list[Tensor]:
    """Content and position (N, q, C) of drawn object queries (Q, C)."""
    assert legacy.queries is not None
    chosen = draws.pick(objects * legacy.queries, len(content)).to(content.device)
    return [x[chosen].view(objects, legacy.queries, -1) for x in (content, position)]


def draw_memory(layers: int, rows: int, objects: int, draws: Draws) -> Tensor:
    """(layers, M) which object each memory row is of."""
    import torch

    return torch.stack([draws.owners(rows, objects) for _ in range(layers)])


def split_objects(objects: Sequence[ObjectPrompts], legacy: Legacy) -> list[list[ObjectPrompts]]:
    """Which objects are decoded at once: those with regions; of the others all or each by itself."""
    regional = [item for item in objects if item.spatial]
    others = [item for item in objects if not item.spatial]
    rest = [others] if legacy.joint_phrases else [[item] for item in others]
    return [part for part in (regional, *rest) if part]


def seeded_draws(network: Network, scene: Scene, prompts: Sequence[Prompt], rounds: bool) -> Draws | None:
    """Draws that differ by request, the same for the same request; None if the decoder makes none."""
    legacy = legacy_of(network)
    if legacy is None:
        return None
    keys = sorted(f"{p.object}{p.content_key()}" for p in prompts)
    text = f"{legacy.seed}{scene.pixels}{rounds}{keys}"
    return Draws(seed=int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "little"))


def legacy_of(network: Network) -> Legacy | None:
    """The legacy options of a decoder that draws; None if it draws nothing."""
    legacy: Legacy | None = getattr(network.decoder.options, "legacy", None)
    return legacy if legacy is not None and legacy.together else None


def _draw_shared(masks: Masks, draws: Draws) -> list[NDArray[np.int64]]:
    """At most 512 pixels (x, y) of all objects; an object may be left with none."""
    pixels = [np.argwhere(mask)[:, ::-1] for mask in masks]
    sizes = [len(each) for each in pixels]
    if not sum(sizes):
        return pixels
    chosen = draws.share(sizes, BUDGET).numpy()
    ends = np.cumsum(sizes)
    return [
        each[chosen[(chosen >= end - len(each)) & (chosen < end)] - (end - len(each))]
        for each, end in zip(pixels, ends, strict=True)
    ]


def _draw_own(masks: Masks, draws: Draws) -> list[NDArray[np.int64]]:
    """At most 512 pixels (x, y) of each object."""
    pixels = [np.argwhere(mask)[:, ::-1] for mask in masks]
    return [each[draws.shuffle(len(each), BUDGET).numpy()] if len(each) > BUDGET else each for each in pixels]


def _unite(positive: NDArray[np.int64], negative: NDArray[np.int64]) -> PointSet:
    xy = np.concatenate((positive, negative)).astype(np.float32)
    sign = np.arange(len(xy)) >= len(positive)
    return PointSet(xy, sign, np.zeros_like(sign))

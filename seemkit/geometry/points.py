"""From the regions of an object to the points that are sampled: united by sign, stratified, seeded."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from seemkit.geometry.region import Region

__all__ = ["PointSet", "sample_regions", "stratify"]

BUDGET = 512
"""Points of one object and sign (SEEM's MAX_SPATIAL_LEN)."""


@dataclass(frozen=True, eq=False)
class PointSet:
    """Points of one object on the input grid.

    Attributes:
        xy: (T, 2) columns and rows of the points as (x, y), pixel indices of the grid (top-left).
        negative: (T,) bool, True for points that are not of the object.
        extent: (T,) bool, True for points of an extent or of the ring around it.
    """

    xy: NDArray[np.float32]
    negative: NDArray[np.bool_]
    extent: NDArray[np.bool_]

    @property
    def positives(self) -> int:
        """How many points speak for the object."""
        return int((~self.negative).sum())


def sample_regions(regions: Sequence[Region], budget: int = BUDGET) -> PointSet:
    """Unite the regions of one object, resolve conflicts and sample at most `budget` points a sign.

    Where include and exclude overlap, exclude wins; the ring around an extent gives way to exact includes.
    Exact pixels and extents share a sign's budget evenly, and what one leaves the other takes.
    """
    exact_in = _unite(regions, lambda region: region.include and region.kind == "exact")
    extent_in = _unite(regions, lambda region: region.include and region.kind == "extent")
    exact_out = _unite(regions, lambda region: not region.include)
    ring = None
    if extent_in is not None:
        ring = _without(_ring(extent_in), exact_in, exact_out)
        extent_in = _without(extent_in, exact_in, exact_out)
    if exact_in is not None:
        exact_in = _without(exact_in, exact_out)
    pieces = [
        (points, negative, extent)
        for pair, negative in (((exact_in, extent_in), False), ((exact_out, ring), True))
        for points, extent in zip(_share(pair, budget), (False, True), strict=True)
    ]
    return PointSet(
        np.concatenate([p for p, _, _ in pieces]).astype(np.float32),
        np.concatenate([np.full(len(p), negative) for p, negative, _ in pieces]),
        np.concatenate([np.full(len(p), extent) for p, _, extent in pieces]),
    )


def _unite(regions: Sequence[Region], wanted: Callable[[Region], bool]) -> NDArray[np.bool_] | None:
    """The pixels of all regions that are wanted, in an array of their own; None if there are none."""
    masks = [region.mask for region in regions if wanted(region)]
    if not masks:
        return None
    united = masks[0].copy()
    for mask in masks[1:]:
        united |= mask
    return united if united.any() else None


def _without(mask: NDArray[np.bool_], *others: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """The mask, from which others are taken out in place."""
    for other in others:
        if other is not None:
            mask &= ~other
    return mask


def stratify(mask: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """At most `count` true pixels (x, y) of a mask, spread evenly; the same mask gives the same points.

    Pixels are put on a Morton curve and one is drawn from each of `count` equal stretches, by a generator
    that is seeded from the mask's content.
    """
    rows, columns = np.nonzero(mask)
    if len(rows) > count:
        order = np.argsort(_morton(rows, columns), kind="stable")
        seed = int.from_bytes(hashlib.sha256(np.packbits(mask).tobytes()).digest()[:8], "little")
        jitter = np.random.Generator(np.random.Philox(seed)).random(count)
        edges = np.arange(count + 1) * len(rows) // count  # of the stretches, none of which is empty
        chosen = np.sort(order[edges[:-1] + (jitter * np.diff(edges)).astype(np.int64)])
        rows, columns = rows[chosen], columns[chosen]
    return np.stack((columns, rows), axis=1)


def _share(
    pair: tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None], budget: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first, second = (0 if mask is None else int(np.count_nonzero(mask)) for mask in pair)
    half = budget // 2
    take = min(first, max(half, budget - second))
    return _take(pair[0], take), _take(pair[1], min(second, budget - take))


def _take(mask: NDArray[np.bool_] | None, count: int) -> NDArray[np.int64]:
    return np.zeros((0, 2), np.int64) if mask is None or count == 0 else stratify(mask, count)


def _ring(extent: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels just outside: a band of a twentieth of the extent's size, two pixels at least."""
    rows, columns = np.nonzero(extent.any(1))[0], np.nonzero(extent.any(0))[0]
    size = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    width = max(2, int(size) // 20)
    near = tuple(slice(max(line[0] - width, 0), line[-1] + width + 1) for line in (rows, columns))
    ring = np.zeros(extent.shape, bool)
    grown = ndimage.maximum_filter(extent[near], size=2 * width + 1, mode="constant") > 0
    ring[near] = grown & ~extent[near]
    return ring


def _morton(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
    def spread(x: NDArray[np.int64]) -> NDArray[np.int64]:
        x = x & 0xFFFF
        for shift, keep in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
            x = (x | (x << shift)) & keep
        return x

    return (spread(rows) << 1) | spread(columns)

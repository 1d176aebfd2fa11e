"""From regions to points: united by sign, exclude wins, evenly spread, the same for the same pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from seemkit.geometry.points import BUDGET, PointSet, sample_regions, stratify
from seemkit.geometry.region import Region

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24))
SHAPE = (40, 60)


def pixels(points: PointSet, negative: bool, extent: bool | None = None) -> set[tuple[int, int]]:
    chosen = points.negative == negative
    if extent is not None:
        chosen &= points.extent == extent
    return {(int(x), int(y)) for x, y in points.xy[chosen]}


def true_pixels(mask: NDArray[np.bool_]) -> set[tuple[int, int]]:
    return {(int(x), int(y)) for y, x in zip(*np.nonzero(mask), strict=True)}


def box(top: int, bottom: int, left: int, right: int) -> NDArray[np.bool_]:
    mask = np.zeros(SHAPE, bool)
    mask[top:bottom, left:right] = True
    return mask


@given(mask=masks, count=st.integers(1, 60))
def test_points_are_true_pixels_once_each_and_as_many_as_asked(mask: NDArray[np.bool_], count: int) -> None:
    points = stratify(mask, count)
    found = [tuple(p) for p in points.tolist()]
    assert len(found) == len(set(found)) == min(count, int(mask.sum()))
    assert set(found) <= true_pixels(mask)
    assert np.array_equal(stratify(mask.copy(), count), points)


@given(mask=masks)
def test_a_small_mask_gives_all_its_pixels(mask: NDArray[np.bool_]) -> None:
    assert {tuple(p) for p in stratify(mask, mask.size).tolist()} == true_pixels(mask)


@given(
    seed=st.integers(0, 10**6), share=st.floats(0.2, 1), block=st.sampled_from([8, 16, 32]),
    row=st.integers(0, 1), column=st.integers(0, 1),
)  # fmt: skip
def test_every_block_gets_its_share_of_points(
    seed: int, share: float, block: int, row: int, column: int
) -> None:
    # an aligned square of a power of two is one stretch of the Morton curve, and each of `count` equal stretches
    # of the mask's pixels holds one point: what a block gets is off by less than two
    mask = np.random.default_rng(seed).random((64, 64)) < share
    count = 100
    points = stratify(mask, count)
    here = (slice(row * block, (row + 1) * block), slice(column * block, (column + 1) * block))
    inside = sum(
        here[0].start <= y < here[0].stop and here[1].start <= x < here[1].stop for x, y in points.tolist()
    )
    assert abs(inside - count * mask[here].sum() / mask.sum()) < 2


def test_the_draw_depends_on_the_pixels() -> None:
    # not one fixed pattern: two masks of the same size and count draw different places of their stretches
    one, two = box(0, 40, 0, 50), box(0, 40, 10, 60)
    shifted = {(x + 10, y) for x, y in stratify(one, 100).tolist()}
    assert shifted != {(x, y) for x, y in stratify(two, 100).tolist()}


def test_exact_regions_are_united_by_sign() -> None:
    points = sample_regions(
        [Region(box(2, 6, 2, 6)), Region(box(4, 8, 4, 8)), Region(box(20, 22, 9, 12), include=False)]
    )
    assert pixels(points, False) == true_pixels(box(2, 6, 2, 6) | box(4, 8, 4, 8))
    assert pixels(points, True) == true_pixels(box(20, 22, 9, 12))
    assert not points.extent.any()
    assert points.positives == 28


@given(
    parts=st.lists(
        st.tuples(
            st.integers(0, 30), st.integers(1, 10), st.integers(0, 50), st.integers(1, 10), st.booleans(),
            st.sampled_from(["exact", "extent"]),
        ),
        min_size=1, max_size=5,
    ),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_order_does_not_matter_and_exclude_wins(
    parts: list[tuple[int, int, int, int, bool, str]], seed: int
) -> None:
    regions = [
        Region(box(y, y + h, x, x + w), include=include, kind=kind)  # type: ignore[arg-type]
        for y, h, x, w, include, kind in parts
    ]
    points = sample_regions(regions, 64)
    shuffled = [regions[int(i)] for i in np.random.default_rng(seed).permutation(len(regions))]
    again = sample_regions([*shuffled, shuffled[0]], 64)
    for field in ("xy", "negative", "extent"):
        assert np.array_equal(getattr(points, field), getattr(again, field)), field
    excluded = np.any([r.mask for r in regions if not r.include] or [np.zeros(SHAPE, bool)], axis=0)
    exact = np.any(
        [r.mask for r in regions if r.include and r.kind == "exact"] or [np.zeros(SHAPE, bool)], axis=0
    )
    assert not pixels(points, False) & true_pixels(excluded)
    assert not pixels(points, True) & true_pixels(exact & ~excluded)
    for negative in (False, True):
        assert int((points.negative == negative).sum()) <= 64


def test_an_extent_has_a_ring_outside_that_speaks_against() -> None:
    extent = box(10, 30, 20, 50)
    points = sample_regions([Region(extent, kind="extent")], 5000)
    assert pixels(points, False, extent=True) == true_pixels(extent)
    ring = box(8, 32, 18, 52) & ~extent  # a twentieth of 30 is less than the least width, two pixels
    assert pixels(points, True, extent=True) == true_pixels(ring)


def test_the_ring_is_a_twentieth_of_a_large_extent_and_ends_at_the_border() -> None:
    extent = np.zeros((200, 300), bool)
    extent[40:120, 0:100] = True
    points = sample_regions([Region(extent, kind="extent")], 10**6)
    grown = np.zeros_like(extent)
    grown[35:125, 0:105] = True
    assert pixels(points, True) == true_pixels(grown & ~extent)


def test_the_ring_gives_way_to_exact_includes_and_to_excludes() -> None:
    extent, click, against = box(10, 30, 20, 50), box(8, 11, 30, 33), box(30, 33, 30, 33)
    points = sample_regions(
        [Region(extent, kind="extent"), Region(click), Region(against, include=False)], 5000
    )
    assert pixels(points, False, extent=False) == true_pixels(click)
    assert pixels(points, True, extent=False) == true_pixels(against)
    ring = box(8, 32, 18, 52) & ~extent & ~click & ~against
    assert pixels(points, True, extent=True) == true_pixels(ring)


def test_an_excluded_extent_is_all_against() -> None:
    points = sample_regions(
        [Region(box(0, 40, 0, 60)), Region(box(5, 9, 5, 9), include=False, kind="extent")]
    )
    assert pixels(points, True) == true_pixels(box(5, 9, 5, 9))


@pytest.mark.parametrize(
    ("exact", "extent", "expected"),
    [
        (10, 30, (10, 30)),
        (10, 2000, (10, 90)),
        (2000, 10, (90, 10)),
        (2000, 2000, (50, 50)),
        (2000, 0, (100, 0)),
        (0, 2000, (0, 100)),
    ],
)
def test_kinds_share_a_budget_evenly_and_take_what_the_other_leaves(
    exact: int, extent: int, expected: tuple[int, int]
) -> None:
    shape = (100, 100)
    flat = np.zeros((2, 100 * 100), bool)
    flat[0, :exact] = True
    flat[1, 5000 : 5000 + extent] = True
    regions = [
        Region(flat[i].reshape(shape), kind=kind)  # type: ignore[arg-type]
        for i, kind in enumerate(("exact", "extent"))
        if flat[i].any()
    ]
    points = sample_regions(regions, 100)
    positive = points.extent[~points.negative]
    assert (int((~positive).sum()), int(positive.sum())) == expected


def test_the_budget_of_an_object_is_512_a_sign() -> None:
    assert BUDGET == 512
    half = box(0, 20, 0, 60)
    points = sample_regions([Region(half), Region(~half, include=False)])
    assert points.positives == 512
    assert int(points.negative.sum()) == 512

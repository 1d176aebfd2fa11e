"""Masks to rings and back; the rasteriser that prompts use is the judge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_fill_holes

from seemkit.geometry.grid import Grid
from seemkit.geometry.raster import draw_polygon
from seemkit.results.polygons import Ring, mask_to_rings, ring_area, simplify_ring

masks = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda size: arrays(bool, size))


def draw(rings: list[Ring], size: tuple[int, int]) -> np.ndarray:
    drawn = np.zeros(size, bool)
    for ring in rings:
        drawn ^= draw_polygon(ring, Grid(*size))
    return drawn


@settings(max_examples=400, deadline=None)
@given(masks)
def test_even_odd_drawing_gives_back_exactly_the_mask(mask: np.ndarray) -> None:
    rings = mask_to_rings(mask)
    np.testing.assert_array_equal(draw(rings, mask.shape), mask)
    assert sum(map(ring_area, rings)) == mask.sum()


@settings(max_examples=200, deadline=None)
@given(masks)
def test_rings_are_simple_lie_on_pixel_edges_and_keep_only_corners(mask: np.ndarray) -> None:
    for ring in mask_to_rings(mask):
        assert len(ring) == len(set(ring)) >= 4
        steps = np.diff(np.array([*ring, ring[0]]), axis=0)
        assert ((steps == 0).sum(axis=1) == 1).all()  # along x or along y
        assert (steps[:-1, 0] * steps[1:, 0] == 0).all()  # and a turn at every corner
        assert all(x == int(x) and 0 <= x <= mask.shape[1] for x, _ in ring)
        assert all(y == int(y) and 0 <= y <= mask.shape[0] for _, y in ring)


@settings(max_examples=200, deadline=None)
@given(masks)
def test_without_holes_the_rings_are_apart_and_fill_the_holes(mask: np.ndarray) -> None:
    rings = mask_to_rings(mask, holes=False)
    assert all(ring_area(ring) > 0 for ring in rings)
    parts = [draw_polygon(ring, Grid(*mask.shape)) for ring in rings]
    total = np.sum(parts, axis=0) if parts else np.zeros(mask.shape, int)
    np.testing.assert_array_equal(total, binary_fill_holes(mask))  # nowhere 2


@settings(max_examples=100, deadline=None)
@given(masks)
def test_flips_and_turns_of_the_mask_turn_the_rings(mask: np.ndarray) -> None:
    height, width = mask.shape

    def corners(rings: list[Ring]) -> set[frozenset[tuple[float, float]]]:
        return {frozenset(ring) for ring in rings}

    flipped = {frozenset((width - x, y) for x, y in ring) for ring in mask_to_rings(mask)}
    turned = {frozenset((y, x) for x, y in ring) for ring in mask_to_rings(mask)}
    assert corners(mask_to_rings(mask[:, ::-1])) == flipped
    assert corners(mask_to_rings(mask.T)) == turned
    assert height >= 1


def test_a_pixel_a_hole_and_an_empty_mask() -> None:
    single = np.zeros((3, 4), bool)
    assert mask_to_rings(single) == []
    single[1, 2] = True
    assert mask_to_rings(single) == [[(2.0, 1.0), (3.0, 1.0), (3.0, 2.0), (2.0, 2.0)]]
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    outer, inner = mask_to_rings(ring)
    assert (ring_area(outer), ring_area(inner)) == (9, -1)
    assert mask_to_rings(ring, holes=False) == [outer]


def test_an_island_in_a_hole_comes_back_and_goes_with_the_hole() -> None:
    mask = np.zeros((7, 7), bool)
    mask[0:7, 0:7] = True
    mask[1:6, 1:6] = False
    mask[3, 3] = True
    areas = [ring_area(ring) for ring in mask_to_rings(mask)]
    assert areas == [49, 1, -25]
    assert [ring_area(ring) for ring in mask_to_rings(mask, holes=False)] == [49]


def test_rings_come_exteriors_first_and_large_before_small() -> None:
    mask = np.zeros((10, 20), bool)
    mask[0:2, 0:2] = True
    mask[3:10, 3:20] = True
    mask[4:8, 5:9] = False
    mask[4, 12] = False
    assert [ring_area(ring) for ring in mask_to_rings(mask)] == [119, 4, -16, -1]


@settings(max_examples=100, deadline=None)
@given(masks, st.sampled_from([0.5, 1.0, 3.0]))
def test_simplified_rings_keep_a_subset_of_corners_within_the_tolerance(mask: np.ndarray, far: float) -> None:
    whole, simple = mask_to_rings(mask), mask_to_rings(mask, simplify=far)
    assert len(simple) == len(whole)
    for before, after in zip(whole, simple, strict=True):
        assert set(after) <= set(before)
        assert ring_area(after) * ring_area(before) > 0
        loop = np.array([*after, after[0]])
        for corner in np.array(before):
            start, along = loop[:-1], np.diff(loop, axis=0)
            share = ((corner - start) * along).sum(1) / (along**2).sum(1)
            foot = start + share.clip(0, 1)[:, None] * along
            assert np.hypot(*(corner - foot).T).min() <= far + 1e-9


def test_simplifying_a_disc_saves_most_corners_and_keeps_its_area() -> None:
    y, x = np.mgrid[:200, :200]
    disc = (x - 100) ** 2 + (y - 100) ** 2 < 80**2
    (exact,), (simple,) = mask_to_rings(disc), mask_to_rings(disc, simplify=1.0)
    assert len(simple) < len(exact) / 4
    assert ring_area(simple) == pytest.approx(disc.sum(), rel=0.02)


def test_a_ring_that_would_collapse_is_left_whole() -> None:
    square: Ring = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    assert simplify_ring(square, 50) == square

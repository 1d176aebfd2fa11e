"""What users are simulated to do stays on the object, on the image and the same for one seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from seemkit.geometry.outline import crossing_edges, enclosed_area
from seemkit.geometry.raster import draw_polygon, draw_stroke, sample_line
from seemkit.geometry.simulate import (
    simulate_box,
    simulate_click,
    simulate_mask,
    simulate_outline,
    simulate_stroke,
)

seeds = st.integers(0, 2**20)


@st.composite
def objects(draw: st.DrawFn) -> NDArray[np.bool_]:
    """Smooth blobs, noise, thin lines and single pixels; never empty."""
    rows, columns, seed = draw(st.integers(1, 50)), draw(st.integers(1, 50)), draw(seeds)
    rng = np.random.default_rng(seed)
    smooth = draw(st.sampled_from((0.0, 1.0, 4.0)))
    field = ndimage.gaussian_filter(rng.normal(size=(rows, columns)), smooth)
    mask = np.asarray(field >= np.quantile(field, draw(st.sampled_from((0.2, 0.6, 0.9)))))
    mask[rng.integers(rows), rng.integers(columns)] = True
    return mask


def disc(size: int = 80, radius: float = 30) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:size, :size] + 0.5
    return np.asarray(np.hypot(rows - size / 2, columns - size / 2) < radius)


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


@given(objects(), seeds)
def test_a_click_is_the_centre_of_a_pixel_of_the_object(mask: NDArray[np.bool_], seed: int) -> None:
    click = simulate_click(mask, np.random.default_rng(seed))
    assert click is not None
    assert mask[int(click[1]), int(click[0])]
    assert (click[0] % 1, click[1] % 1) == (0.5, 0.5)


def test_about_half_of_the_clicks_are_at_the_innermost_pixel() -> None:
    mask = disc(81)
    clicks = [simulate_click(mask, np.random.default_rng(seed)) for seed in range(200)]
    central = sum(click == (40.5, 40.5) for click in clicks)
    assert 70 <= central <= 130


@given(objects(), seeds)
def test_a_box_is_the_tight_box_give_or_take_a_twentieth(mask: NDArray[np.bool_], seed: int) -> None:
    box = simulate_box(mask, np.random.default_rng(seed))
    assert box is not None
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    tight = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    size = np.tile(tight[2:] - tight[:2], 2)
    assert (np.abs(np.array(box) - tight) <= 0.05 * size + 1e-9).all()
    assert 0 <= box[0] < box[2] <= mask.shape[1]
    assert 0 <= box[1] < box[3] <= mask.shape[0]


@given(objects(), seeds)
def test_a_stroke_runs_within_the_object(mask: NDArray[np.bool_], seed: int) -> None:
    stroke = simulate_stroke(mask, np.random.default_rng(seed))
    assert stroke is not None
    path, width = stroke
    assert width >= 1
    for x, y in sample_line(path, 0.5):
        assert mask[int(y), int(x)]


def test_a_stroke_on_a_disc_covers_hardly_anything_else() -> None:
    mask = disc()
    for seed in range(30):
        stroke = simulate_stroke(mask, np.random.default_rng(seed))
        assert stroke is not None
        drawn = draw_stroke(stroke[0], stroke[1], mask.shape)
        assert (drawn & ~mask).sum() <= 0.02 * drawn.sum()


@given(objects(), seeds, st.sampled_from((0.0, 0.05, 0.3)))
def test_an_outline_is_simple_and_on_the_image(mask: NDArray[np.bool_], seed: int, loose: float) -> None:
    outline = simulate_outline(mask, np.random.default_rng(seed), loose=loose)
    assert outline is not None
    assert len(outline) >= 3
    assert crossing_edges(outline) is None
    assert enclosed_area(outline) > 0
    assert (np.array(outline) >= 0).all()
    assert (np.array(outline) <= mask.shape[::-1]).all()


def test_an_outline_of_a_disc_is_nearly_the_disc_and_a_loose_one_holds_it() -> None:
    mask = disc()
    for seed in range(20):
        close = simulate_outline(mask, np.random.default_rng(seed))
        loose = simulate_outline(mask, np.random.default_rng(seed), loose=0.1)
        assert close is not None
        assert loose is not None
        assert iou(draw_polygon(close, mask.shape), mask) > 0.9
        held = draw_polygon(loose, mask.shape)
        assert (mask & ~held).sum() == 0
        assert held.sum() > 1.1 * mask.sum()


@given(objects(), seeds)
def test_a_rough_mask_is_never_empty_and_leaves_the_mask_as_it_was(
    mask: NDArray[np.bool_], seed: int
) -> None:
    before = mask.copy()
    rough = simulate_mask(mask, np.random.default_rng(seed))
    assert rough is not None
    assert rough.shape == mask.shape
    assert rough.dtype == np.bool_
    assert rough.any()
    assert np.array_equal(mask, before)


def test_rough_masks_of_a_disc_are_near_it_smaller_larger_and_equal() -> None:
    mask = disc()
    rough = [simulate_mask(mask, np.random.default_rng(seed)) for seed in range(40)]
    areas = [int(m.sum()) for m in rough if m is not None]
    assert min(areas) < mask.sum() < max(areas)
    assert int(mask.sum()) in areas
    assert all(iou(m, mask) > 0.8 for m in rough if m is not None)


@pytest.mark.parametrize(
    "simulate", [simulate_click, simulate_box, simulate_stroke, simulate_outline, simulate_mask]
)
def test_nothing_is_done_to_an_empty_mask_and_one_seed_does_one_thing(simulate) -> None:  # type: ignore[no-untyped-def]
    assert simulate(np.zeros((5, 6), bool), np.random.default_rng(0)) is None
    first, again = (simulate(disc(), np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, again) if isinstance(first, np.ndarray) else first == again

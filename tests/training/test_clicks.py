"""The next click: against a direct search over all pixels, which needs no distance transform."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seemkit.training.clicks import depth, next_click

MASKS = arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def slow_depth(mask: np.ndarray) -> np.ndarray:
    """Distance of each pixel to the nearest one outside, a ring around the image being outside."""
    padded = np.pad(mask, 1)
    outside = np.argwhere(~padded)
    found = np.zeros(mask.shape)
    for row, column in np.argwhere(mask):
        found[row, column] = np.sqrt(((outside - (row + 1, column + 1)) ** 2).sum(1).min())
    return found


@settings(deadline=None, max_examples=60)
@given(MASKS)
def test_depth_is_the_distance_to_the_nearest_pixel_outside(mask: np.ndarray) -> None:
    np.testing.assert_allclose(depth(mask), slow_depth(mask))


@settings(deadline=None, max_examples=60)
@given(MASKS, st.integers(0, 2**32 - 1))
def test_the_click_is_the_deepest_pixel_of_the_deeper_error(truth: np.ndarray, seed: int) -> None:
    prediction = np.random.default_rng(seed).random(truth.shape) < 0.5
    missed, wrong = slow_depth(truth & ~prediction), slow_depth(prediction & ~truth)
    click = next_click(prediction, truth)
    if (prediction == truth).all():
        assert click is None
        return
    assert click is not None
    x, y, positive = click
    assert truth[y, x] == positive
    np.testing.assert_allclose((missed if positive else wrong)[y, x], max(missed.max(), wrong.max()))


def test_pixels_used_before_are_not_clicked_again() -> None:
    truth = np.zeros((5, 5), bool)
    truth[1:4, 1:4] = True
    nothing = np.zeros((5, 5), bool)
    assert next_click(nothing, truth) == (2, 2, True)
    used = np.zeros((5, 5), bool)
    used[2, 2] = True
    click = next_click(nothing, truth, used)
    assert click is not None
    assert click[:2] != (2, 2)
    assert next_click(nothing, truth, truth) is None


def test_pixels_used_before_still_count_as_errors_for_the_depth_of_others() -> None:
    truth = np.zeros((9, 9), bool)
    truth[1:8, 1:8] = True
    used = np.zeros((9, 9), bool)
    used[4, 4] = True
    click = next_click(np.zeros((9, 9), bool), truth, used)
    assert click is not None
    assert slow_depth(truth)[click[1], click[0]] == 3.0  # beside the centre, as RITM's clicker chooses


def test_a_tie_is_a_negative_click_and_ignored_pixels_are_no_error() -> None:
    truth, prediction = np.zeros((1, 8), bool), np.zeros((1, 8), bool)
    truth[0, :2], prediction[0, 5:7] = True, True
    click = next_click(prediction, truth)
    assert click is not None
    assert not click[2]
    ignore = np.zeros((1, 8), bool)
    ignore[0, 5:7] = True
    click = next_click(prediction, truth, ignore=ignore)
    assert click is not None
    assert click[2]

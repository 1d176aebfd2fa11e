"""The next click against a reference that measures every distance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from seemkit.training.clicks import depth, next_click

SHAPE = (9, 12)
masks = arrays(bool, SHAPE)
CALM = settings(max_examples=60, deadline=None)


def slow_depth(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance of every pixel of the mask to the nearest that is not of it, on a canvas one pixel larger."""
    padded = np.pad(mask, 1)
    outside = np.argwhere(~padded)
    out = np.zeros(mask.shape)
    for y, x in np.argwhere(mask):
        out[y, x] = np.sqrt(((outside - [y + 1, x + 1]) ** 2).sum(1).min())
    return out


@CALM
@given(mask=masks)
def test_depth_is_the_distance_to_the_nearest_outside(mask: NDArray[np.bool_]) -> None:
    np.testing.assert_allclose(depth(mask), slow_depth(mask))


@CALM
@given(prediction=masks, truth=masks, used=st.one_of(st.none(), masks), ignore=st.one_of(st.none(), masks))
def test_the_click_is_the_deepest_pixel_of_the_deeper_error(
    prediction: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    used: NDArray[np.bool_] | None,
    ignore: NDArray[np.bool_] | None,
) -> None:
    # depth is that of the whole error, pixels used before included; they are just not clicked again
    counts = np.ones(SHAPE, bool) if ignore is None else ~ignore
    free = np.ones(SHAPE, bool) if used is None else ~used
    missed, wrong = (free * slow_depth(e & counts) for e in (truth & ~prediction, prediction & ~truth))
    click = next_click(prediction, truth, used, ignore)
    if max(missed.max(), wrong.max()) == 0:
        assert click is None
        return
    assert click is not None
    x, y, positive = click
    assert positive == (missed.max() > wrong.max())
    assert (missed if positive else wrong)[y, x] == pytest.approx(max(missed.max(), wrong.max()))
    assert truth[y, x] == positive
    assert prediction[y, x] != positive
    assert free[y, x]
    assert counts[y, x]


def test_the_first_click_of_a_disc_is_its_centre() -> None:
    rows, columns = np.mgrid[:41, :61]
    disc = (rows - 17) ** 2 + (columns - 33) ** 2 <= 11**2
    assert next_click(np.zeros_like(disc), disc) == (33, 17, True)
    too_much = next_click(np.ones_like(disc), disc)
    assert too_much is not None
    assert too_much[2] is False


def test_the_border_of_the_image_is_outside() -> None:
    # else every pixel would lie equally deep
    truth = np.ones((21, 21), bool)
    assert next_click(np.zeros_like(truth), truth) == (10, 10, True)


def test_a_perfect_mask_needs_no_click() -> None:
    truth = np.eye(9, dtype=bool)
    assert next_click(truth, truth) is None


def test_pixels_used_before_still_count_as_errors_for_the_depth_of_others() -> None:
    truth, used = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    truth[1:8, 1:8], used[4, 4] = True, True
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

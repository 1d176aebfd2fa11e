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
@given(prediction=masks, truth=masks, used=st.one_of(st.none(), masks))
def test_the_click_is_the_deepest_pixel_of_the_larger_error(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], used: NDArray[np.bool_] | None
) -> None:
    free = np.ones(SHAPE, bool) if used is None else ~used
    missed, wrong = (slow_depth(e & free) for e in (truth & ~prediction, prediction & ~truth))
    click = next_click(prediction, truth, used)
    if max(missed.max(), wrong.max()) == 0:
        assert click is None
        return
    assert click is not None
    x, y, positive = click
    assert positive == (missed.max() >= wrong.max())
    assert (missed if positive else wrong)[y, x] == pytest.approx(max(missed.max(), wrong.max()))
    assert truth[y, x] == positive
    assert prediction[y, x] != positive
    assert free[y, x]


def test_the_first_click_of_a_disc_is_its_centre() -> None:
    rows, columns = np.mgrid[:41, :61]
    disc = (rows - 17) ** 2 + (columns - 33) ** 2 <= 11**2
    assert next_click(np.zeros_like(disc), disc) == (33, 17, True)
    assert next_click(np.ones_like(disc), disc | (rows < 3))[2] is False  # type: ignore[index]


def test_the_border_of_the_image_is_outside() -> None:
    # else the corner, which is farthest from the hole, would be clicked
    truth = np.ones((21, 21), bool)
    assert next_click(np.zeros_like(truth), truth) == (10, 10, True)

"""The protocol of RITM against its published code, written down again with scipy, and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from seemkit.evaluation.protocols.clicker import Jitter, Seen
from seemkit.evaluation.protocols.ritm import LargestClicker, RitmClicker
from seemkit.geometry.grid import Grid

SHAPE = (12, 15)
GRID = Grid(*SHAPE)


def published(truth: np.ndarray, seen: np.ndarray, ignore: np.ndarray, clicked: np.ndarray) -> tuple:
    """`Clicker._get_next_click` of RITM, isegm/inference/clicker.py, with scipy's exact transform for OpenCV's."""
    fn, fp = (truth & ~seen) & ~ignore, (~truth & seen) & ~ignore
    fn_dt = ndimage.distance_transform_edt(np.pad(fn, 1))[1:-1, 1:-1] * ~clicked
    fp_dt = ndimage.distance_transform_edt(np.pad(fp, 1))[1:-1, 1:-1] * ~clicked
    positive = fn_dt.max() > fp_dt.max()
    deep = fn_dt if positive else fp_dt
    rows, columns = np.where(deep == deep.max())
    return columns[0] + 0.5, rows[0] + 0.5, bool(positive), deep.max() > 0


def answer(mask: np.ndarray) -> Seen:
    return Seen(mask, lambda: mask)


@settings(deadline=None, max_examples=60)
@given(arrays.arrays(bool, (4, *SHAPE)))
def test_clicks_are_those_of_the_published_code(planes: np.ndarray) -> None:
    truth, ignore, *answers = planes
    clicker = RitmClicker(truth, ignore, GRID)
    clicked = np.zeros(SHAPE, bool)
    for seen in (None, *answers):
        shown = np.zeros(SHAPE, bool) if seen is None else seen
        x, y, positive, any_error = published(truth, shown, ignore, clicked)
        click = clicker.next(None if seen is None else answer(seen))
        if not any_error:
            assert click is None
            continue
        assert click is not None
        assert (click.x, click.y, click.positive) == (x, y, positive)
        clicked[int(y), int(x)] = True


def test_the_area_of_a_click_is_the_connected_error_around_it() -> None:
    truth = np.zeros(SHAPE, bool)
    truth[1:6, 1:6], truth[8:10, 8:14] = True, True
    click = RitmClicker(truth, np.zeros(SHAPE, bool), GRID).next(None)
    assert click is not None
    expected = np.zeros(SHAPE, bool)
    expected[1:6, 1:6] = True
    np.testing.assert_array_equal(click.area, expected)


def test_the_largest_error_may_not_be_the_deepest() -> None:
    truth = np.zeros(SHAPE, bool)
    truth[1:6, 1:6], truth[8:11, 0:15] = True, True  # 25 pixels, 3 deep; 45 pixels, 2 deep
    nothing = np.zeros(SHAPE, bool)
    deepest = RitmClicker(truth, nothing, GRID).next(None)
    largest = LargestClicker(truth, nothing, GRID).next(None)
    assert deepest is not None
    assert largest is not None
    assert (deepest.x, deepest.y) == (3.5, 3.5)
    assert largest.y == 9.5


def test_the_largest_error_ends_with_the_errors_and_clicks_no_pixel_twice() -> None:
    truth = np.zeros(SHAPE, bool)
    truth[2:4, 2:4] = True
    clicker = LargestClicker(truth, np.zeros(SHAPE, bool), GRID)
    assert clicker.next(answer(truth)) is None
    clicks = [clicker.next(answer(~truth & False)) for _ in range(4)]
    assert len({(c.x, c.y) for c in clicks if c is not None}) == 4
    assert clicker.next(answer(~truth & False)) is None


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_an_unsteady_hand_stays_in_the_error_and_near_its_middle(share: float) -> None:
    truth = np.zeros((40, 60), bool)
    truth[10:31, 10:41] = True
    nothing = np.zeros(truth.shape, bool)
    steady = RitmClicker(truth, nothing, Grid(40, 60)).next(None)
    assert steady is not None
    places = set()
    for seed in range(30):
        hand = Jitter(share, np.random.default_rng(seed))
        click = RitmClicker(truth, nothing, Grid(40, 60), hand).next(None)
        assert click is not None
        assert truth[int(click.y), int(click.x)]
        assert np.hypot(click.x - steady.x, click.y - steady.y) <= share * 11
        places.add((click.x, click.y))
    assert len(places) > 15

"""The protocol of the published SEEM, by hand; against its recorded clicks in tests/parity."""

import numpy as np

from seemkit.evaluation.protocols.clicker import Seen
from seemkit.evaluation.protocols.convolved_distance import convolved_distance
from seemkit.evaluation.protocols.original import OriginalClicker
from seemkit.geometry.grid import Grid

GRID = Grid(40, 60)


def block(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros((40, 60), bool)
    mask[top:bottom, left:right] = True
    return mask


def answer(mask: np.ndarray) -> Seen:
    return Seen(mask, lambda: mask)


def clicker(truth: np.ndarray, grid: Grid = GRID) -> OriginalClicker:
    return OriginalClicker(truth, np.zeros(truth.shape, bool), grid)


def test_all_of_an_error_decides_and_not_its_deepest_part() -> None:
    truth, made = block(2, 2, 4, 58), block(20, 20, 29, 30)
    one = clicker(truth)  # 112 pixels are missed, 90 wrong ones lie deeper
    one.next(None)
    click = one.next(answer(made))
    assert click is not None
    assert click.positive


def test_a_tie_is_negative() -> None:
    truth, made = block(5, 5, 10, 25), block(20, 5, 25, 25)
    both = clicker(truth).next(answer(made))
    assert both is not None
    assert not both.positive


def test_what_was_clicked_is_no_error_any_more() -> None:
    truth = block(10, 10, 31, 31)
    one = clicker(truth)
    first = one.next(None)
    second = one.next(answer(block(0, 0, 1, 1)))
    assert first is not None
    assert second is not None
    assert not first.area[0, 0]
    assert max(abs(first.x - second.x), abs(first.y - second.y)) >= 2  # outside the 3 x 3 of the first
    assert not second.area[int(first.y), int(first.x)]


def test_nothing_is_clicked_on_a_good_answer_and_the_end_is_above_90() -> None:
    truth = block(10, 10, 30, 50)
    one = clicker(truth)
    assert one.next(answer(block(10, 10, 30, 49))) is None  # IoU 0.975
    assert one.next(answer(block(10, 10, 30, 46))) is not None  # 0.9
    assert (one.satisfied(0.9), one.satisfied(0.901)) == (False, True)
    assert one.rounds_without_click


def test_clicks_are_made_on_the_input_grid_and_told_in_pixels_of_the_image() -> None:
    truth = np.zeros((80, 120), bool)
    truth[20:60, 30:90] = True
    click = clicker(truth, Grid(40, 60, (80, 120))).next(None)
    assert click is not None
    assert (click.x % 2, click.y % 2) == (1.0, 1.0)  # centres of grid pixels of twice the size
    assert truth[int(click.y), int(click.x)]
    np.testing.assert_array_equal(click.area, truth)


def test_depth_grows_inwards_and_the_border_of_the_image_is_outside() -> None:
    depth = convolved_distance(np.ones((9, 9), bool))
    np.testing.assert_array_equal(depth, depth[::-1])
    assert np.unravel_index(depth.argmax(), depth.shape) == (4, 4)
    assert (np.diff(depth[4, :5]) > 0).all()
    assert not convolved_distance(np.zeros((3, 3), bool)).any()


def test_what_is_to_be_ignored_is_neither_clicked_nor_counted() -> None:
    truth, made = block(10, 10, 20, 20), block(10, 10, 20, 50)
    ignore = block(0, 20, 40, 60)
    one = OriginalClicker(truth, ignore, GRID)
    assert one.next(answer(made)) is None, "all that is wrong is ignored"
    click = OriginalClicker(truth, ignore, GRID).next(answer(block(10, 10, 14, 50)))
    assert click is not None
    assert click.positive

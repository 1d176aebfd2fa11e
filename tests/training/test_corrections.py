"""Corrections: where the two protocols click, and that nothing is clicked where enough is right."""

import numpy as np
import pytest

from seemkit.geometry.region import Region, RegionKind
from seemkit.training.cell import Cell
from seemkit.training.corrections import correct, larger_error_click
from seemkit.training.recipe.sections import ClicksSection
from seemkit.training.view import Target


def field(*boxes: tuple[int, int, int, int]) -> np.ndarray:  # type: ignore[type-arg]
    """(40, 60) bool with boxes (top, left, height, width)."""
    mask = np.zeros((40, 60), bool)
    for top, left, height, width in boxes:
        mask[top : top + height, left : left + width] = True
    return mask


NONE = np.zeros((40, 60), bool)


def test_the_original_compares_whole_areas() -> None:
    # missed are twenty strips of two rows, 400 pixels in all; wrong is one square of 144, which is far deeper
    truth = field(*((2 * k, 0, 1, 20) for k in range(20)))
    prediction = field((10, 40, 12, 12))
    click = larger_error_click(prediction, truth, NONE)
    assert click is not None
    assert click[2], "more was missed than wrongly selected"
    cell = cell_of(truth)
    correct([cell], [prediction], ClicksSection(protocol="deepest"))
    assert not cell.regions[-1].include, "the deepest error is the square"


def test_a_tie_is_a_negative_click() -> None:
    click = larger_error_click(field((0, 40, 9, 9)), field((0, 0, 9, 9)), NONE)
    assert click == (44, 4, False)


def test_prompted_pixels_are_not_errors_any_more() -> None:
    truth = field((10, 10, 9, 9))
    assert larger_error_click(NONE, truth, truth) is None
    click = larger_error_click(NONE, truth, field((10, 10, 9, 5)))
    assert click is not None
    assert click[0] >= 15


@pytest.mark.parametrize(("kind", "positive"), [("exact", False), ("extent", True)])
def test_the_first_prompt_counts_as_prompted_unless_it_only_lies_around_the_object(
    kind: RegionKind, positive: bool
) -> None:
    # 200 pixels are missed, of which the prompt covers 160; 100 are wrong
    cell = cell_of(field((10, 10, 10, 20)))
    cell.regions.append(Region(field((10, 10, 10, 16)), kind=kind))
    correct([cell], [field((30, 40, 10, 10))], ClicksSection(protocol="larger"))
    assert cell.regions[1].include == positive


def cell_of(mask: np.ndarray) -> Cell:  # type: ignore[type-arg]
    canvas = np.zeros((64, 64), bool)
    canvas[:40, :60] = mask
    cell = Cell(Target(canvas, 0), (40, 60), "visual", np.random.default_rng(0))
    cell.used = np.zeros((40, 60), bool)
    return cell


@pytest.mark.parametrize("protocol", ["deepest", "larger"])
def test_negative_clicks_can_be_left_out(protocol: str) -> None:
    truth, prediction = field((10, 10, 10, 10)), field((10, 10, 10, 30))
    for negative in (True, False):
        cell = cell_of(truth)
        correct([cell], [prediction], ClicksSection(protocol=protocol, negative=negative))  # type: ignore[arg-type]
        assert [region.include for region in cell.regions] == ([False] if negative else [])


def test_nothing_is_clicked_from_enough_on() -> None:
    truth = field((10, 10, 20, 20))
    prediction = field((10, 10, 20, 19))  # IoU 0.95
    for enough, clicks in ((0.925, 0), (0.96, 1), (1.0, 1)):
        cell = cell_of(truth)
        correct([cell], [prediction], ClicksSection(enough=enough))
        assert len(cell.regions) == clicks


def test_a_click_is_three_pixels_wide_and_remembered() -> None:
    cell = cell_of(field((10, 10, 21, 21)))
    correct([cell], [NONE], ClicksSection())
    (region,) = cell.regions
    np.testing.assert_array_equal(region.mask, field((19, 19, 3, 3)))
    assert cell.used[20, 20]
    correct([cell], [NONE], ClicksSection())
    assert not (cell.regions[0].mask & cell.regions[1].mask)[20, 20]


def test_errors_that_do_not_count_are_not_clicked() -> None:
    truth, prediction = field((10, 10, 10, 10)), field((10, 10, 10, 30))
    cell = cell_of(truth)
    cell.ignored = field((10, 20, 10, 20))
    correct([cell], [prediction], ClicksSection())
    assert cell.regions == []

"""Simulated clicks on a model whose answers are known: the curve, NoC and where clicks fall, by hand."""

from typing import Any

import numpy as np
import pytest

from seemkit.evaluation.clicks import click_curve, click_figures
from seemkit.evaluation.datasets import Labelled


def item(ignore: np.ndarray | None = None) -> Labelled:
    mask = np.zeros((40, 60), bool)
    mask[10:30, 10:40] = True  # 600 pixels
    nothing = np.zeros(mask.shape, bool)
    return Labelled("k", np.zeros((40, 60, 3), np.uint8), mask, nothing if ignore is None else ignore)


def rows_by_click(image: np.ndarray, prompts: Any) -> np.ndarray:
    """Ten columns of the object more with each click: IoU 1/3, 2/3, 1."""
    mask = np.zeros(image.shape[:2], bool)
    mask[10:30, 10 : 10 + 10 * min(len(prompts), 3)] = True
    return mask


def test_the_curve_is_the_iou_after_each_click_and_stays_when_nothing_is_left(made_up: Any) -> None:
    curve = click_curve(made_up(rows_by_click), item(), 6)
    np.testing.assert_allclose(curve, [1 / 3, 2 / 3, 1, 1, 1, 1])


def test_the_first_click_is_the_middle_of_the_object_and_the_next_that_of_the_rest(made_up: Any) -> None:
    model = made_up(rows_by_click)
    click_curve(model, item(), 3)
    first, second, _ = model.asked[-1]
    assert (first.include, 19 <= first.y < 21, 19 <= first.x <= 31) == (True, True, True)
    # what is missed then is 20 x 20 pixels: columns 20 to 39
    assert (second.include, 19 <= second.y < 21, 29 <= second.x < 31) == (True, True, True)


def test_a_click_on_what_was_selected_wrongly_excludes(made_up: Any) -> None:
    model = made_up(lambda image, prompts: np.ones(image.shape[:2], bool))
    click_curve(model, item(), 2)
    first, second = model.asked[-1]
    assert (first.include, second.include) == (True, False)
    assert not item().mask[int(second.y), int(second.x)]


def test_ignored_pixels_are_neither_clicked_nor_counted(made_up: Any) -> None:
    ignore = np.ones((40, 60), bool)
    ignore[10:30, 10:40] = False
    model = made_up(lambda image, prompts: np.ones(image.shape[:2], bool))
    np.testing.assert_allclose(click_curve(model, item(ignore), 4), 1.0)
    assert len(model.asked[-1]) == 1


def test_noc_is_the_first_click_that_reaches_the_iou_and_20_if_none_does(made_up: Any) -> None:
    def stuck(image: np.ndarray, prompts: Any) -> np.ndarray:
        """87 % of the object from the fourth click on, half of it before."""
        mask = item().mask.copy()
        mask[10:30, 10 : 25 if len(prompts) < 4 else 14] = False
        return mask

    values = {f.name: f.value for f in click_figures(made_up(stuck), [item()], "made up")}
    assert (values["NoC@80"], values["NoC@85"], values["NoC@90"]) == (4, 4, 20)
    assert values["mIoU@3"] == pytest.approx(0.5)
    assert values["mIoU@5"] == pytest.approx(26 / 30)


def test_figures_are_means_over_photos_and_say_how_many(made_up: Any) -> None:
    figures = click_figures(made_up(rows_by_click), [item(), item()], "made up", clicks=2)
    assert {f.name: (f.value, f.count, f.split) for f in figures} == {
        "mIoU@1": (pytest.approx(1 / 3), 2, "made up"),
        "mIoU@2": (pytest.approx(2 / 3), 2, "made up"),
    }

"""Simulated conversations on a model whose answers are known, and on nano: curves, memory, and the end."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import skimage.data

import seemkit
from seemkit.evaluation.conversation import click_prompt, converse
from seemkit.evaluation.protocols.original import OriginalClicker
from seemkit.evaluation.protocols.ritm import RitmClicker
from seemkit.geometry.grid import Grid
from seemkit.prompting.read import prompt_type

TRUTH = np.zeros((40, 60), bool)
TRUTH[10:30, 10:40] = True  # 600 pixels
NOTHING = np.zeros(TRUTH.shape, bool)
IMAGE = np.zeros((40, 60, 3), np.uint8)


def columns(share: list[int], image: np.ndarray, prompts: Any) -> np.ndarray:
    """As many columns of the object as the list says for so many prompts."""
    mask = np.zeros(image.shape[:2], bool)
    mask[10:30, 10 : 10 + share[min(len(prompts), len(share)) - 1]] = True
    return mask


def talk(model: Any, clicker: type = RitmClicker, rounds: int = 6, **more: Any) -> Any:
    made = clicker(TRUTH, more.pop("ignore", NOTHING), Grid(40, 60))
    return converse(model, model.encode(IMAGE), made, rounds, **more)


def test_the_curve_is_the_iou_after_each_click_and_stays_when_nothing_is_left(made_up: Any) -> None:
    said = talk(made_up(partial(columns, [10, 20, 30])))
    np.testing.assert_allclose(said.curve, [1 / 3, 2 / 3, 1, 1, 1, 1])
    assert len(said.prompts) == 3


def test_the_first_click_is_the_middle_of_the_object_and_the_next_that_of_the_rest(made_up: Any) -> None:
    model = made_up(partial(columns, [10, 20, 30]))
    talk(model)
    first, second, _ = model.asked[-1]
    assert (first.include, 19 <= first.y < 21, 19 <= first.x <= 31) == (True, True, True)
    # what is missed then is 20 x 20 pixels: columns 20 to 39
    assert (second.include, 19 <= second.y < 21, 29 <= second.x < 31) == (True, True, True)


def test_a_click_on_what_was_selected_wrongly_excludes(made_up: Any) -> None:
    model = made_up(lambda image, prompts: np.ones(image.shape[:2], bool))
    talk(model, rounds=2)
    first, second = model.asked[-1]
    assert (first.include, second.include) == (True, False)
    assert not TRUTH[int(second.y), int(second.x)]


def test_ignored_pixels_are_neither_clicked_nor_counted(made_up: Any) -> None:
    model = made_up(lambda image, prompts: np.ones(image.shape[:2], bool))
    said = talk(model, ignore=~TRUTH, rounds=4)
    np.testing.assert_allclose(said.curve, 1.0)
    assert len(model.asked) == 1


def test_a_first_prompt_takes_the_place_of_the_first_click(made_up: Any) -> None:
    box = prompt_type("box")(x1=10, y1=10, x2=40, y2=30)
    said = talk(made_up(partial(columns, [20, 30])), first=[box])
    assert said.prompts[0] == box
    assert said.prompts[1].type_name() == "point"
    assert said.curve[:2] == [pytest.approx(2 / 3), 1.0]


@pytest.mark.parametrize(("first", "positive"), [("mask", False), ("box", True)])
def test_the_original_does_not_click_where_the_first_prompt_was(
    made_up: Any, first: str, positive: bool
) -> None:
    # the prompt lies on all of the object, which is missed, beside 10 wrong pixels; only the mask says which pixels
    given: dict[str, Any] = {"mask": {"mask": TRUTH}, "box": {"x1": 10, "y1": 10, "x2": 40, "y2": 30}}[first]
    wrong = np.zeros_like(TRUTH)
    wrong[35, 45:55] = True
    model = made_up(lambda image, prompts: wrong)
    talk(model, OriginalClicker, rounds=2, first=[prompt_type(first)(**given)])
    assert [prompt.include for prompt in model.asked[-1]] == [True, positive]


def test_the_original_does_not_click_where_a_correction_was(made_up: Any) -> None:
    half = np.zeros_like(TRUTH)
    half[10:30, 10:36] = True
    model = made_up(lambda image, prompts: NOTHING)
    masked: Any = prompt_type("mask")
    clicker = OriginalClicker(TRUTH, NOTHING, Grid(40, 60))
    converse(model, model.encode(IMAGE), clicker, 2, correct=lambda click: masked(mask=half))
    left = clicker.next(None)
    assert left is not None
    assert left.x > 36


def test_memory_is_the_mask_of_the_round_before(made_up: Any) -> None:
    model = made_up(partial(columns, [10, 20, 30]))
    talk(model, rounds=3)
    assert model.memories[0] is None
    assert [int((m["1"] > 0).sum()) for m in model.memories[1:]] == [200, 400]
    model = made_up(partial(columns, [10, 20, 30]))
    talk(model, rounds=3, memory=False)
    assert model.memories == [None, None, None]


def test_the_original_stops_above_90_and_asks_again_where_nothing_is_to_click(made_up: Any) -> None:
    good = made_up(partial(columns, [10, 28]))  # 28 / 30 = 0.933 after two clicks
    said = talk(good, OriginalClicker)
    assert said.curve == [pytest.approx(1 / 3)] + [pytest.approx(28 / 30)] * 5
    assert len(good.asked) == 2


def test_an_object_that_is_nowhere_needs_nothing(made_up: Any) -> None:
    clicker = RitmClicker(NOTHING, NOTHING, Grid(40, 60))
    model = made_up()
    assert converse(model, model.encode(IMAGE), clicker, 3).curve == [1.0, 1.0, 1.0]


def test_rounds_with_memory_have_the_bits_of_a_session() -> None:
    model = seemkit.load("nano")
    photo = skimage.data.chelsea()
    truth = np.zeros(photo.shape[:2], bool)
    truth[60:250, 130:330] = True
    scene = model.encode(photo)
    said = converse(model, scene, RitmClicker(truth, np.zeros_like(truth), scene.grid), 3)
    session = model.session(scene)
    for prompt in said.prompts:
        session.add(prompt)
        mask = session.result().masks[0]
    np.testing.assert_array_equal(said.mask, mask)


def test_a_click_becomes_a_point() -> None:
    click = RitmClicker(TRUTH, NOTHING, Grid(40, 60)).next(None)
    assert click is not None
    point = click_prompt(click)
    assert (point.type_name(), point.include) == ("point", True)

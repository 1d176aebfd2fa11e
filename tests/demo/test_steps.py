"""What the demo asks of a photo nobody knows, made from a mask of it."""

import numpy as np
import pytest

from seemkit.demo.steps import correction, reference_step, simulated_steps, word_steps
from seemkit.prompting.prompt import SpatialPrompt
from seemkit.prompting.read import prompt_types, read_prompt

CLICK = read_prompt({"type": "point", "x": 10, "y": 10})


@pytest.fixture
def two_parts() -> np.ndarray:
    """(48, 64): a part of 10 x 10 around (10, 10), and a larger one of 20 x 20 around (40, 20)."""
    mask = np.zeros((48, 64), bool)
    mask[5:15, 5:15] = mask[10:30, 30:50] = True
    return mask


def test_a_part_that_no_prompt_touches_is_clicked_away_however_large(two_parts):
    (click,) = correction(two_parts, [CLICK])
    assert not click.include
    assert 30 < click.x < 50
    assert 10 < click.y < 30


def test_a_mask_of_one_part_is_clicked_once_more_at_its_innermost_pixel(two_parts):
    two_parts[:, 30:] = False
    (click,) = correction(two_parts, [CLICK])
    assert click.include
    assert abs(click.x - 10) <= 1
    assert abs(click.y - 10) <= 1


def test_without_spatial_prompts_the_largest_part_is_what_is_meant(two_parts):
    (click,) = correction(two_parts, [read_prompt({"type": "text", "text": "a ball"})])
    assert not click.include
    assert 5 < click.x < 15


def test_specks_are_not_worth_a_click(two_parts):
    two_parts[:, 20:] = False
    two_parts[40:43, 60:63] = True  # 9 pixels
    assert correction(two_parts, [CLICK])[0].include


def test_an_empty_mask_cannot_be_corrected(two_parts):
    assert correction(np.zeros_like(two_parts), [CLICK]) == ()


def test_every_spatial_type_that_was_not_shown_is_simulated(two_parts):
    rng = np.random.default_rng(0)
    steps = list(simulated_steps(two_parts, {"point", "box"}, rng))
    spatial = {name for name, kind in prompt_types().items() if issubclass(kind, SpatialPrompt)}
    assert {kind for step in steps for kind in step.types} == spatial - {"point", "box"}
    for step in steps:
        for prompt in step.prompts:
            prompt.check(two_parts.shape)


def test_a_plugin_that_raises_is_left_out(two_parts, monkeypatch):
    def fail(mask, rng):
        raise RuntimeError("no")

    monkeypatch.setattr(prompt_types()["box"], "simulate", fail)
    steps = {step.title: step for step in simulated_steps(two_parts, set(), np.random.default_rng(0))}
    assert steps["box"].reason == "its plugin raised RuntimeError when it simulated a user"
    assert "point, simulated" in steps


def test_words_and_reference_are_asked_once(two_parts):
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:, :32] = 255
    (words,) = word_steps("dog", set())
    assert words.prompts[0].text == "dog"
    assert list(word_steps("dog", {"text"})) == []
    (reference,) = reference_step(pixels, two_parts, set())
    assert np.array_equal(reference.prompts[0].image, pixels[:, ::-1])
    assert np.array_equal(reference.prompts[0].prompts[0].mask, two_parts[:, ::-1])
    assert list(reference_step(pixels, two_parts, {"reference"})) == []

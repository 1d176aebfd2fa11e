"""Bad prompts are refused in one sentence that says what was given, where, and what was expected."""

from math import nan

import numpy as np
import pytest

from seemkit.api import PromptError, read_prompt
from seemkit.prompts import Box, Mask, Memory, Point, Polygon, Reference, Scribble, Text

POINT = {"type": "point", "x": 1, "y": 2}
INSTALLED = "audio, box, concept, mask, memory, point, polygon, reference, scribble, text"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            {"type": "pont", "x": 1},
            "prompts[2].type 'pont' is not an installed prompt type; did you mean 'point'?",
        ),
        (
            {"type": "points"},
            "prompts[2].type 'points' is not an installed prompt type; did you mean 'point'?",
        ),
        (5, "prompts[2] is 5, expected an object with a 'type'"),
        ({"type": "point", "x": "a", "y": 1}, "prompts[2].x is 'a', expected a valid number"),
        ({"type": "point", "x": 1}, "prompts[2].y is missing: a point needs it"),
        ({"type": "point", "x": nan, "y": 1}, "prompts[2].x is nan, expected a finite number"),
        ({**POINT, "inclde": False}, "prompts[2]: a point has no field 'inclde'; did you mean 'include'?"),
        ({**POINT, "z": 3}, "prompts[2]: a point has no field 'z'; its fields are object, include, x, y"),
        ({**POINT, "object": ""}, "prompts[2].object is '', expected 1 character at least"),
        (
            {"type": "box", "x1": 7, "y1": 0, "x2": 3, "y2": 2},
            "prompts[2]: box x2=3 must be larger than x1=7",
        ),
        (
            {"type": "box", "x1": 7, "y1": 2.5, "x2": 8, "y2": 2.5},
            "prompts[2]: box y2=2.5 must be larger than y1=2.5",
        ),
        ({"type": "polygon", "points": []}, "prompts[2].points is [], expected 1 item at least"),
        (
            {"type": "polygon", "points": [(1, 1), (2, 2)]},
            "prompts[2]: polygon has 2 different corners, expected 3 at least",
        ),
        (
            {"type": "polygon", "points": [(1, 1), (2, 2), (3, 3)]},
            "prompts[2]: polygon encloses no area: its corners lie on one line or its loops cancel",
        ),
        (
            {"type": "polygon", "points": [(0, 0), (10, 10), (10, 0), (0, 10)]},
            "prompts[2]: polygon crosses itself: its edge 0 from (0, 0) to (10, 10) meets its edge 2",
        ),
        ({"type": "scribble", "points": []}, "prompts[2].points is [], expected 1 item at least"),
        (
            {"type": "scribble", "points": [[1, nan]]},
            "prompts[2].points[0][1] is nan, expected a finite number",
        ),
        (
            {"type": "scribble", "points": [(1, 2, 3)]},
            "prompts[2].points[0] is (1, 2, 3), expected 2 items at most",
        ),
        (
            {"type": "scribble", "points": [(1, 2)], "width": 0},
            "prompts[2].width is 0, expected a number greater than 0",
        ),
        (
            {"type": "mask", "mask": {"size": [2, 2], "counts": [4]}},
            "prompts[2]: mask selects no pixel, expected one at least",
        ),
        (
            {"type": "mask", "mask": {"size": [2, 2]}},
            'prompts[2]: expected COCO run lengths {"size": [H, W], "counts": ...} that fill the size',
        ),
        ({"type": "text", "text": " \n"}, "prompts[2]: text ' \\n' is empty, expected a word at least"),
        ({"type": "text", "text": "x" * 5000}, "expected 4000 characters at most"),
        ({"type": "text", "text": 3}, "prompts[2].text is 3, expected a valid string"),
        (
            {"type": "reference", "image": "a.png", "prompts": []},
            "prompts[2].prompts is [], expected 1 item at least",
        ),
        (
            {"type": "reference", "image": "a.png", "prompts": [{"type": "text", "text": "x"}]},
            "prompts[2]: reference prompts[0] is a text, expected one of box, mask, point, polygon, scribble",
        ),
        (
            {"type": "reference", "image": "a.png", "prompts": [POINT, {"type": "point", "x": 1}]},
            "prompts[2].prompts[1].y is missing: a point needs it",
        ),
        (
            {"type": "reference", "image": "a.png", "prompts": [{**POINT, "include": False}]},
            "prompts[2]: reference has no prompt that includes, expected one at least",
        ),
        (
            {"type": "reference", "image": {"sha256": "a" * 64}, "prompts": [POINT]},
            "prompts[2]: the image aaaaaaaaaaaa... travels by hash: hand it over in assets={hash: image}",
        ),
        (
            {"type": "reference", "image": {"scene": "a" * 64}, "prompts": [POINT]},
            "prompts[2]: the scene aaaaaaaaaaaa... travels by hash: hand it over in assets={hash: scene}",
        ),
        (
            {"type": "reference", "image": " ", "prompts": [POINT]},
            "prompts[2]: expected the path of an image, found an empty one",
        ),
        (
            {"type": "memory", "mask": {"size": [1, 2], "counts": [1, 1]}, "include": False},
            "prompts[2]: memory cannot be excluded, expected include=True",
        ),
        (
            {"type": "memory", "mask": {"sha256": "b" * 64}},
            "prompts[2]: the array bbbbbbbbbbbb... travels by hash: hand it over in assets={hash: array}",
        ),
    ],
)
def test_a_bad_prompt_in_json_is_refused_in_a_sentence(data: dict[str, object], sentence: str) -> None:
    with pytest.raises(PromptError) as caught:
        read_prompt(data, path="prompts[2]")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value.path).startswith("prompts[2]")


@pytest.mark.parametrize("data", [{"x": 1, "y": 2}, {"type": 3}])
def test_a_prompt_without_a_type_is_told_the_installed_ones(data: dict[str, object]) -> None:
    with pytest.raises(PromptError, match="expected one of ") as caught:
        read_prompt(data)
    assert set(INSTALLED.split(", ")) <= set(str(caught.value).rpartition("one of ")[2].split(", "))


def test_an_unknown_type_carries_the_nearest_one() -> None:
    with pytest.raises(PromptError) as caught:
        read_prompt({"type": "polygn"})
    assert caught.value.suggestion == "polygon"


def test_an_asset_with_other_content_is_refused() -> None:
    data = {"type": "memory", "mask": {"sha256": "b" * 64}}
    with pytest.raises(PromptError, match=r"the asset handed over as bbbbbbbbbbbb\.\.\. has other content"):
        read_prompt(data, assets={"b" * 64: np.ones((2, 2), np.float32)})


def test_prompts_are_given_back_as_they_are() -> None:
    point = Point(x=1, y=2)
    assert read_prompt(point) is point


@pytest.mark.parametrize(
    ("prompt", "sentence", "path"),
    [
        (Point(x=640, y=5), "point x=640 lies outside the image: expected 0 <= x < 640", "x"),
        (Point(x=5, y=-0.5), "point y=-0.5 lies outside the image: expected 0 <= y < 480", "y"),
        (
            Scribble(points=[(1, 1), (1, 480)]),
            "scribble points[1].y=480 lies outside the image: expected 0 <= y < 480",
            "points[1].y",
        ),
        (
            Polygon(points=[(0, 0), (640.5, 0), (3, 3)]),
            "polygon points[1].x=640.5 lies outside the image: expected 0 <= x <= 640",
            "points[1].x",
        ),
        (
            Box(x1=640, y1=0, x2=650, y2=5),
            "box x1=640 lies outside the image: expected x1 < 640",
            "x1",
        ),
        (Box(x1=1, y1=-9, x2=3, y2=0), "box y2=0 lies outside the image: expected y2 > 0", "y2"),
        (
            Mask.example(),
            "the mask is 64 x 48 pixels (width x height), expected the image's 640 x 480",
            "mask",
        ),
        (
            Memory.example(),
            "the memory is 64 x 48 pixels (width x height), expected the image's 640 x 480",
            "mask",
        ),
        (
            Reference(image=np.zeros((20, 30, 3), np.uint8), prompts=[Point(x=1, y=1), Point(x=30, y=1)]),
            "reference prompts[1]: point x=30 lies outside the image: expected 0 <= x < 30",
            "prompts[1].x",
        ),
    ],
)
def test_what_does_not_fit_the_image_is_refused_in_a_sentence(
    prompt: Point, sentence: str, path: str
) -> None:
    with pytest.raises(PromptError) as caught:
        prompt.check((480, 640))
    assert str(caught.value) == sentence
    assert caught.value.path == path


@pytest.mark.parametrize(
    "prompt",
    [
        Point(x=0, y=0),
        Point(x=np.nextafter(640, 0), y=np.nextafter(480, 0)),
        Box(x1=-50, y1=-50, x2=0.25, y2=9000),
        Polygon(points=[(0, 0), (640, 0), (640, 480)]),
        Text(text="any"),
        Memory(mask=np.linspace(-1, 1, 6).reshape(2, 3)),
        Reference(image="not/opened/yet.jpg", prompts=[Point(x=1e6, y=0)]),
    ],
    ids=lambda prompt: prompt.type,
)
def test_what_fits_the_image_passes(prompt: Point) -> None:
    prompt.check((480, 640))

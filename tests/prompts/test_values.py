"""Every built-in prompt is a frozen value that compares by content, travels as JSON and selects pixels."""

import json
from math import inf, nan

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from seemkit.api import Grid, Prompt, PromptError, SpatialPrompt, prompt_types, read_prompt
from seemkit.prompting.assets import collect_assets
from seemkit.prompts import Audio, Box, Concept, Mask, Memory, Point, Polygon, Reference, Scribble, Text

BUILT_IN = [Point, Box, Scribble, Polygon, Mask, Text, Reference, Memory, Concept, Audio]
SPATIAL = [Point, Box, Scribble, Polygon, Mask]
each = pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: kind.__name__)
each_spatial = pytest.mark.parametrize("kind", SPATIAL, ids=lambda kind: kind.__name__)

RAMP = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
LOGITS = np.linspace(-4, 4, 12 * 16, dtype=np.float32).reshape(12, 16)
MORE = [
    Point(x=0.1, y=1 / 3, object="dog", include=False),
    Box(x1=-3.5, y1=0, x2=1e6, y2=2),
    Scribble(points=[(1, 2)]),
    Mask(mask=np.eye(7, dtype=bool)),
    Text(text="ein Hund, 狗 🐕"),
    Reference(image="photos/cat.jpg", prompts=[Point(x=1, y=2), Mask.example(), Box.example()]),
    Reference(image=RAMP, prompts=[Point(x=1, y=2), Point(x=9, y=2, include=False)], include=False),
    Memory(mask=LOGITS),
    Memory(mask=np.eye(5, dtype=bool)),
    Concept(file="things/cat.concept", include=False),
]


def through_json(prompt: Prompt) -> Prompt:
    return read_prompt(json.loads(prompt.model_dump_json()), assets=collect_assets([prompt]))


@each
def test_the_example_comes_back_from_json_as_it_was(kind: type[Prompt]) -> None:
    example = kind.example()
    back = through_json(example)
    assert type(back) is kind
    assert back == example
    assert hash(back) == hash(example)
    assert back.model_dump_json() == example.model_dump_json()


@pytest.mark.parametrize("prompt", MORE, ids=lambda prompt: prompt.type)
def test_any_value_comes_back_from_json_as_it_was(prompt: Prompt) -> None:
    assert through_json(prompt) == prompt


def test_arrays_come_back_bit_by_bit() -> None:
    back = through_json(Memory(mask=LOGITS))
    assert isinstance(back, Memory)
    assert back.mask.dtype == np.float32
    assert np.array_equal(back.mask, LOGITS)
    reference = through_json(Reference(image=RAMP, prompts=[Point.example()]))
    assert isinstance(reference, Reference)
    assert np.array_equal(reference.image, RAMP)


@each
def test_values_are_frozen_and_know_their_type(kind: type[Prompt]) -> None:
    example = kind.example()
    assert prompt_types()[example.type] is kind
    with pytest.raises(ValidationError, match="frozen"):
        example.object = "2"


@each
def test_object_and_include_are_part_of_the_content(kind: type[Prompt]) -> None:
    example = kind.example()
    assert example.model_copy(update={"object": "2"}) != example
    assert example == kind.example()
    if kind.excludes:
        assert example.model_copy(update={"include": False}) != example


def test_examples_of_all_types_differ() -> None:
    assert len({kind.example() for kind in BUILT_IN}) == len(BUILT_IN)


@each
def test_the_first_line_of_the_docstring_is_a_summary(kind: type[Prompt]) -> None:
    first = (kind.__doc__ or "").split("\n")[0]
    assert first.endswith((".", ":"))
    assert 20 <= len(first) <= 110


@each_spatial
def test_the_example_selects_something_on_any_grid_of_its_image(kind: type[SpatialPrompt]) -> None:
    example = kind.example()
    example.check((48, 64))
    for grid in (Grid(48, 64), Grid(96, 128, (48, 64)), Grid(5, 7, (48, 64)), Grid(1, 1, (48, 64))):
        region = example.region(grid)
        assert region.mask.shape == grid.size
        assert region.area > 0
        assert region.include
        excluded = example.model_copy(update={"include": False}).region(grid)
        assert not excluded.include
        assert np.array_equal(excluded.mask, region.mask)


@each_spatial
def test_only_a_box_is_an_extent(kind: type[SpatialPrompt]) -> None:
    assert kind.example().region(Grid(48, 64)).kind == ("extent" if kind is Box else "exact")


def test_a_point_is_three_by_three_pixels() -> None:
    expected = np.zeros((10, 12), bool)
    expected[3:6, 6:9] = True
    assert np.array_equal(Point(x=7.9, y=4).region(Grid(10, 12)).mask, expected)


def test_a_box_is_its_area() -> None:
    expected = np.zeros((10, 12), bool)
    expected[2:6, 3:9] = True
    box = Box(x1=3, y1=2, x2=9, y2=6)
    assert np.array_equal(box.region(Grid(10, 12)).mask, expected)
    assert box.extent() == (3, 2, 9, 6)


def test_a_polygon_is_its_area_and_may_reach_the_far_border() -> None:
    whole = Polygon(points=[(0, 0), (12, 0), (12, 10), (0, 10)])
    whole.check((10, 12))
    assert whole.region(Grid(10, 12)).mask.all()


def test_a_scribble_is_as_wide_as_it_says_in_pixels_of_the_image() -> None:
    line = Scribble(points=[(5, 10), (45, 10)], width=4)
    on_image = line.region(Grid(20, 50)).mask
    assert on_image[:, 25].sum() == 4
    assert line.region(Grid(40, 100, (20, 50))).mask[:, 50].sum() == 8
    assert Scribble(points=[(5, 10), (45, 10)]).width == 5


def test_a_mask_is_itself() -> None:
    mask = np.random.default_rng(0).random((9, 11)) < 0.5
    assert np.array_equal(Mask(mask=mask).region(Grid(9, 11)).mask, mask)
    assert np.array_equal(Mask(mask=mask.astype(np.uint8) * 255).mask, mask)


def test_a_value_keeps_a_copy_of_an_array() -> None:
    mask = np.eye(5, dtype=bool)
    prompt = Mask(mask=mask)
    key = prompt.content_key()
    mask[:] = True
    assert Mask(mask=np.eye(5, dtype=bool)).content_key() == key == prompt.content_key()
    with pytest.raises(ValueError, match="read-only"):
        prompt.mask[0, 0] = False


def test_points_come_as_lists_or_arrays_and_are_kept_as_tuples() -> None:
    path = [(1, 2), (3, 4.5)]
    kept = ((1.0, 2.0), (3.0, 4.5))
    for given in (path, np.array(path), [np.array(p) for p in path], [list(p) for p in path]):
        assert Scribble(points=given).points == kept


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_a_number_that_is_not_finite_is_refused_wherever_it_stands(bad: float) -> None:
    for make in (
        lambda: Point(x=bad, y=1),
        lambda: Box(x1=0, y1=0, x2=bad, y2=5),
        lambda: Scribble(points=[(1, 2), (3, bad)]),
        lambda: Scribble(points=[(1, 2)], width=bad),
        lambda: Polygon(points=np.array([(0, 0), (9, bad), (9, 9)])),
        lambda: Memory(mask=np.array([[0.5, bad]])),
    ):
        with pytest.raises(PromptError, match="finite"):
            make()


def test_memory_takes_masks_and_logits_and_no_other_numbers() -> None:
    assert Memory(mask=np.eye(4, dtype=np.uint8)).mask.dtype == np.bool_
    assert Memory(mask=LOGITS.astype(np.float64)).mask.dtype == np.float32
    assert Memory(mask=LOGITS.astype(np.float64)) == Memory(mask=LOGITS)
    for wrong, why in (
        (np.eye(4), "no logits"),
        (np.arange(4).reshape(2, 2), "expected bool"),
        (LOGITS[None], "expected"),
        (["a"], "array of numbers"),
    ):
        with pytest.raises(PromptError, match=why):
            Memory(mask=wrong)


def test_a_reference_takes_pixels_pictures_and_paths(tmp_path) -> None:  # type: ignore[no-untyped-def]
    prompts = [Point.example()]
    pixels = Reference(image=RAMP, prompts=prompts)
    assert Reference(image=Image.fromarray(RAMP), prompts=prompts) == pixels
    path = Reference(image=tmp_path / "cat.jpg", prompts=prompts)  # opened when it is encoded
    assert path.image == str(tmp_path / "cat.jpg")
    assert json.loads(path.model_dump_json())["image"] == str(tmp_path / "cat.jpg")


class FakeScene:
    """Anything with a fingerprint counts as a scene: the real one would bring torch along."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint


def test_a_scene_travels_by_its_fingerprint() -> None:
    scene = FakeScene("f" * 64)
    reference = Reference(image=scene, prompts=[Point.example()])
    assert json.loads(reference.model_dump_json())["image"] == {"scene": "f" * 64}
    assert collect_assets([reference]) == {"f" * 64: scene}
    back = through_json(reference)
    assert isinstance(back, Reference)
    assert back.image is scene
    assert back == reference
    assert reference != Reference(image=FakeScene("0" * 64), prompts=[Point.example()])


def test_assets_are_what_json_names_by_hash_and_nothing_else() -> None:
    mask = Mask(mask=np.eye(4, dtype=bool))
    reference = Reference(image=RAMP, prompts=[mask])
    assets = collect_assets([Point.example(), mask, reference, Memory(mask=LOGITS), Memory.example()])
    text = " ".join(p.model_dump_json() for p in (reference, Memory(mask=LOGITS)))
    assert len(assets) == 2
    assert all(name in text for name in assets)


@each
def test_every_type_has_a_json_schema(kind: type[Prompt]) -> None:
    schema = kind.model_json_schema()
    assert schema["properties"]["type"]["const"] == kind.type_name()
    assert schema["additionalProperties"] is False

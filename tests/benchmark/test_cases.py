"""What the cases say beside times: sizes, counts and differences, on a tiny model."""

from typing import Any

import pytest

from seemkit.benchmark.many import measure_points
from seemkit.benchmark.memory import measure_memory
from seemkit.benchmark.names import NAMES, measure_vocabulary
from seemkit.benchmark.report import Case
from seemkit.benchmark.rounds import measure_rounds
from seemkit.benchmark.subject import Subject, make_photo


def figures(case: Case) -> dict[str, float]:
    return {figure.name: figure.value for figure in case.figures}


@pytest.mark.parametrize("preset", ["seem_v0", "nano"])
def test_both_paths_of_a_second_click_give_the_same_mask(new_model: Any, preset: str) -> None:
    subject = Subject(new_model(preset), make_photo((64, 64)), repeats=1, count=False)
    second = next(measure_rounds(subject))
    found = figures(second)
    assert found["root mean square of the logits"] > 0
    assert found["largest difference of the mask's logits"] < 1e-3 * found["root mean square of the logits"]
    assert found["pixels that differ"] == 0
    assert found["encoder runs"] == found["scenes prepared"] == 0


def test_a_scene_is_as_large_as_the_published_one_and_a_round_takes_less(subject: Subject) -> None:
    scene, encoding, round_ = measure_memory(subject)
    cells = (2 * 2 + 4 * 4 + 8 * 8) * 32 * 4
    assert scene.path("seemkit").bytes == scene.path("as published").bytes == cells + 16 * 16 * 32 * 4
    assert scene.path("all three").bytes == cells + 2 * 16 * 16 * 32 * 4
    assert encoding.path("seemkit").bytes
    one, reference, many = (path.bytes or 0 for path in round_.paths)
    assert 0 < one < reference
    assert one < many


def test_points_of_one_object_cost_what_their_rows_do_and_nothing_of_the_photo(new_model: Any) -> None:
    """Counted on a scene that nobody asked: keys, values and small mask features are the photo's."""
    subject = Subject(new_model("seem_v1"), make_photo((256, 256)), repeats=1)
    (case,) = measure_points(subject)
    many, one = (path.flops for path in case.paths)
    (again,) = measure_points(subject)
    assert (many, one) == tuple(path.flops for path in again.paths)
    assert many is not None
    assert one is not None
    assert one < many


def test_a_vocabulary_has_the_classes_of_coco_and_warm_it_asks_nothing(subject: Subject) -> None:
    assert len(NAMES) == len(set(NAMES)) == 133
    cold, warm = measure_vocabulary(subject)
    found = figures(cold)
    assert (found["names"], found["sentences"]) == (133, 133 * 81)
    assert found["largest difference of the embeddings, whose length is 1"] < 1e-5
    assert figures(warm) == {"calls of the text encoder": 0}

"""What is wrong with the data is said and can stop a run, whoever read it first, in training and held out."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seemkit.errors import SeemkitError
from seemkit.host import registry
from seemkit.training.recipe import Recipe, load_recipe
from seemkit.training.sources import count_names, held_out, open_sources
from seemkit.training.train import check_data, make_feed, prompt_weights, train

COUNT = 8
KEYS = [f"{number}.png" for number in range(COUNT)]
HELD = [number for number in range(COUNT) if held_out(KEYS[number], 0.4)]
SHOWN = [number for number in range(COUNT) if number not in HELD]
BREAKS: dict[str, dict[str, Any]] = {
    "its category 9 is not listed": {"category_id": 9},
    "its polygon 0 is broken: 4 numbers": {"segmentation": [[1, 2, 3, 4]]},
    "the mask of its object coco-": {"segmentation": [[90, 70, 95, 70, 95, 75]]},  # beside the picture
    "is of the image 77, which is not listed": {"image_id": 77},
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write({2: {"category_id": 9}})`: a COCO folder with two rectangles a picture, one of which is changed."""

    def put(changes: dict[int, dict[str, Any]]) -> Path:
        folder = tmp_path / "mine"
        (folder / "images").mkdir(parents=True)
        images, annotations = [], []
        for number, name in enumerate(KEYS):
            pixels = np.full((60, 80, 3), 60, np.uint8)
            for place, x in enumerate((5 + number, 45 + number)):
                pixels[15:45, x : x + 25] = 220
                corners = [[x, 15, x + 25, 15, x + 25, 45, x, 45]]
                record = {
                    "id": 10 * number + place,
                    "image_id": number,
                    "category_id": 1,
                    "segmentation": corners,
                }
                annotations.append(record | (changes.get(number, {}) if place else {}))
            Image.fromarray(pixels).save(folder / "images" / name)
            images.append({"id": number, "file_name": name, "height": 60, "width": 80})
        data = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "light"}]}
        (folder / "mine.json").write_text(json.dumps(data))
        return folder

    return put


@pytest.fixture
def recipe_for(tiny_yaml: Path) -> Callable[..., Recipe]:
    """`recipe_for(folder, hold_out=0)`: fine-tuning with names in a few steps that see every picture."""

    def load(folder: Path, **data: Any) -> Recipe:
        return load_recipe(
            "fine-tune",
            {
                "model.assembly": str(tiny_yaml), "model.weights": "none",
                "data.sources": [{"use": "coco", "path": str(folder)}], "data.size": 64, "data.objects": 1,
                "objective.points": {"matching": 60, "loss": 40},
                **{f"data.{name}": value for name, value in data.items()},
                "run": {"steps": 4, "batch": 2, "workers": 0, "pictures": 0, "tensorboard": False, "device": "cpu"},
            },
        )  # fmt: skip

    return load


def numbers(keys: Sequence[str]) -> list[int]:
    """Pictures that faults are of: KEY, or KEY#ANNOTATION."""
    return sorted({int(key.split(".")[0]) for key in keys})


def test_every_kind_of_fault_is_listed_where_names_were_counted_before(
    write: Write, recipe_for: Callable[..., Recipe], tmp_path: Path
) -> None:
    folder = write(dict(zip((1, 3, 5, 6), BREAKS.values(), strict=True)))
    (folder / "images" / "7.png").write_bytes(b"no image")
    recipe = recipe_for(folder, hold_out=0)
    assert recipe.objective.labels is not None
    assert recipe.objective.labels.balanced, "so that annotations are read before"
    faults = train(recipe, tmp_path / "run").outcome.faults
    for said in (*BREAKS, "7.png"):
        assert sum(said in f"{fault.key} {fault.cause}" for fault in faults) == 1, said
    assert len(faults) == 5
    lines = (tmp_path / "run" / "faults.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == [fault.key for fault in faults]
    assert set(check_data(recipe).faults) == set(faults)


@pytest.mark.parametrize("said", BREAKS)
@pytest.mark.parametrize("held", [False, True])
def test_every_kind_of_fault_stops_a_run_in_what_is_held_out_too(
    write: Write, recipe_for: Callable[..., Recipe], tmp_path: Path, said: str, held: bool
) -> None:
    folder = write({(HELD if held else SHOWN)[0]: BREAKS[said]})
    with pytest.raises(SeemkitError, match="training goes on without it") as caught:
        train(recipe_for(folder, hold_out=0.4, on_error="stop"), tmp_path / "run")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_objects_of_held_out_pictures_are_listed(
    write: Write, recipe_for: Callable[..., Recipe], tmp_path: Path
) -> None:
    folder = write(dict(zip(HELD, list(BREAKS.values())[:3], strict=False)))
    faults = train(recipe_for(folder, hold_out=0.4), tmp_path / "run").outcome.faults
    assert numbers([fault.key for fault in faults]) == HELD[:3]


def test_a_picture_says_what_is_wrong_with_it_each_time_it_is_drawn(
    write: Write, recipe_for: Callable[..., Recipe]
) -> None:
    recipe = recipe_for(write({2: BREAKS["its category 9 is not listed"]}), hold_out=0)
    sources = open_sources(recipe)
    count_names(sources[0])
    feed = make_feed(recipe, sources, prompt_weights(recipe.objective, registry()))
    first, again = ([fault for n in range(COUNT) for fault in feed[n].faults] for _ in range(2))
    assert [fault.key for fault in first] == ["2.png#21"]
    assert again == first


@pytest.mark.parametrize(
    ("blank", "said"), [(0, "its levels are 0, expected"), (2, "its levels are 0, 2, expected")]
)
def test_a_mask_image_that_marks_nothing_is_a_fault(
    photos: Path, recipe_for: Callable[..., Recipe], tmp_path: Path, blank: int, said: str
) -> None:
    Image.fromarray(np.resize(np.array([0, blank], np.uint8), (80, 100))).save(photos / "masks" / "3.png")
    sources = [{"use": "folder", "path": str(photos), "category": "thing"}]
    for hold_out in (0, 0.4):
        checked = check_data(recipe_for(photos, sources=sources, hold_out=hold_out))
        (fault,) = checked.faults
        assert (checked.pictures, checked.usable, fault.key) == (12, 11, "3")
        assert said in fault.cause
    (fault,) = train(recipe_for(photos, sources=sources), tmp_path / "run").outcome.faults
    assert fault.key == "3"
    with pytest.raises(SeemkitError, match=said):
        train(recipe_for(photos, sources=sources, on_error="stop"), tmp_path / "stopped")


def test_pictures_of_crowds_stuff_and_empty_masks_alone_are_not_usable(
    write: Write, recipe_for: Callable[..., Recipe]
) -> None:
    beside = {"segmentation": [[90, 70, 95, 70, 95, 75]]}
    folder = write({1: beside, 2: {"category_id": 9}})  # one of two objects each: the other is left
    data = json.loads((folder / "mine.json").read_text())
    data["categories"].append({"id": 2, "name": "sky", "isthing": 0})
    changed: dict[int, dict[str, Any]] = {4: beside, 5: {"category_id": 2}, 6: {"iscrowd": 1}}
    for record in data["annotations"]:
        record |= changed.get(record["image_id"], {})
    (folder / "mine.json").write_text(json.dumps(data))
    checked = check_data(recipe_for(folder, stuff=False))
    assert (checked.sources, checked.pictures, checked.usable) == (1, COUNT, COUNT - 3)
    assert check_data(recipe_for(folder, stuff=True)).usable == COUNT - 2


def test_data_of_which_nothing_can_be_used_is_one_sentence(
    photos: Path, recipe_for: Callable[..., Recipe], tmp_path: Path
) -> None:
    for mask in (photos / "masks").iterdir():
        Image.new("L", (100, 80)).save(mask)
    recipe = recipe_for(photos, sources=[{"use": "folder", "path": str(photos)}])
    with pytest.raises(
        SeemkitError, match="no picture can be used of many that were tried in a row: the mask holds"
    ):
        train(recipe, tmp_path / "run")

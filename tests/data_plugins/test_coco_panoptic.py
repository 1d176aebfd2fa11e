"""COCO panoptic: segments are the pixels of an id, and LVIS refines what its boxes fit."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seemkit.api import open_dataset
from seemkit.data.sample import Sample

Write = Callable[[str, Any], Path]
IDS = {"square": 70000, "sky": 300}


def ids() -> np.ndarray[Any, np.dtype[np.int32]]:
    """A square of one segment before a sky."""
    numbers = np.full((48, 64), IDS["sky"], np.int32)
    numbers[10:30, 10:30] = IDS["square"]
    return numbers


def encode(numbers: Any) -> Image.Image:
    """R + 256 G + 65536 B."""
    return Image.fromarray(np.stack([numbers >> shift & 255 for shift in (0, 8, 16)], -1).astype(np.uint8))


def segments(**square: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "one.png", "width": 64, "height": 48}],
        "categories": [
            {"id": 7, "name": "square", "isthing": 1}, {"id": 200, "name": "sky", "isthing": 0},
        ],
        "annotations": [{
            "image_id": 1,
            "file_name": "one.png",
            "segments_info": [
                {"id": IDS["square"], "category_id": 7, "area": 400, "bbox": [10, 10, 20, 20], **square},
                {"id": IDS["sky"], "category_id": 200, "area": 2672},
            ],
        }],
    }  # fmt: skip


@pytest.fixture
def folder(write: Write) -> Path:
    found = write("panoptic.json", segments())
    (found / "panoptic").mkdir()
    encode(ids()).save(found / "panoptic" / "one.png")
    return found


def read(folder: Path, **options: Any) -> Sample:
    dataset: Any = open_dataset({"use": "coco-panoptic", "path": str(folder), **options})
    return dataset.read("one.png").loaded()


def test_segments_are_the_pixels_of_their_ids(folder: Path) -> None:
    sample = read(folder)
    square, sky = sample.objects
    np.testing.assert_array_equal(square.mask, ids() == IDS["square"])
    np.testing.assert_array_equal(sky.mask, ids() == IDS["sky"])
    assert (square.is_thing, sky.is_thing) == (True, False)
    assert sample.panoptic
    assert sample.complete


def test_ids_that_look_like_a_grey_level_are_ids_still(folder: Path, write: Write) -> None:
    grey = 77 * (1 + 256 + 65536)
    write("panoptic.json", segments(id=grey))
    numbers = np.zeros((48, 64), np.int32)
    numbers[10:30, 10:30] = grey
    encode(numbers).save(folder / "panoptic" / "one.png")
    square, _ = read(folder).objects
    assert np.asarray(square.mask).sum() == 400


def test_a_segment_of_an_unknown_category_is_reported(folder: Path, write: Write) -> None:
    write("panoptic.json", segments(category_id=3))
    dataset: Any = open_dataset({"use": "coco-panoptic", "path": str(folder)})
    sample = dataset.read("one.png")
    assert [each.name for each in sample.objects] == ["sky"]
    assert not sample.panoptic
    assert dataset.faults[0].cause == "one.png, annotation 70000: its category 3 is not listed"


def test_ids_that_no_segment_lists_are_reported_once_a_picture(folder: Path) -> None:
    dataset: Any = open_dataset({"use": "coco-panoptic", "path": str(folder)})
    assert dataset.checked("one.png")[1] == ()
    numbers = ids()
    numbers[40:] = 0  # void, which needs no segment
    numbers[30, 10:17] = range(901, 908)
    encode(numbers).save(folder / "panoptic" / "one.png")
    dataset = open_dataset({"use": "coco-panoptic", "path": str(folder)})
    for _ in range(2):
        _, (fault,) = dataset.checked("one.png")
        assert fault.key == "one.png#unlisted"
        assert fault.cause == (
            "the segments of 'one.png' hold ids that its segments_info do not list: 901, 902, 903, 904, 905, ..."
        )
    (sample,) = dataset.shard(0, 1)
    other = dataset.shard(0, 1)
    other.inspect(sample)
    assert [fault.key for fault in other.faults] == ["one.png#unlisted"]


def test_damaged_segments_are_a_fault_of_their_picture_though_none_is_listed(
    folder: Path, write: Write
) -> None:
    data = segments()
    data["annotations"][0]["segments_info"] = []
    write("panoptic.json", data)
    (folder / "panoptic" / "one.png").write_bytes(b"no image")
    dataset: Any = open_dataset({"use": "coco-panoptic", "path": str(folder)})
    sample, (fault,) = dataset.checked("one.png")
    assert (sample, fault.key) == (None, "one.png")


def test_missing_segments_are_reported(folder: Path) -> None:
    (folder / "panoptic" / "one.png").unlink()
    dataset: Any = open_dataset({"use": "coco-panoptic", "path": str(folder)})
    assert not list(dataset)
    assert dataset.faults[0].cause.startswith("the segments 'one.png' of 'one.png' are not in ")


def test_samples_pickle_without_their_pixels(folder: Path) -> None:
    dataset: Any = open_dataset({"use": "coco-panoptic", "path": str(folder)})
    sample = dataset.read("one.png")
    sample.objects[0].read_mask()
    again = pickle.loads(pickle.dumps(sample))  # noqa: S301 - our own
    assert len(pickle.dumps(sample)) < 2000
    assert again.objects[0].read_mask().sum() == 400


LVIS = {
    "annotations": [
        {"image_id": 1, "bbox": [10, 10, 20, 18], "segmentation": [[10, 10, 30, 10, 30, 28, 10, 28]]},
        {"image_id": 1, "bbox": [0, 0, 60, 40], "segmentation": [[0, 0, 60, 0, 60, 40, 0, 40]]},
    ],
    "images": [],
}


def test_lvis_replaces_masks_whose_boxes_fit(folder: Path, write: Write) -> None:
    # box IoU of 20 x 18 in 20 x 20 is 0.9, of 60 x 40 around it 400 / 2400; of 60 x 40 in the 64 x 48 of the sky 0.78
    write("lvis.json", LVIS)
    sample = read(folder, annotations="panoptic.json", lvis="lvis.json")
    square, sky = sample.objects
    assert np.asarray(square.mask).sum() == 20 * 18
    assert np.asarray(sky.mask).sum() == 60 * 40, "stuff too: every segment, as SEEM's training data"
    assert not sample.panoptic, "masks may overlap now"
    strict = read(folder, annotations="panoptic.json", lvis="lvis.json", iou=0.95)
    assert np.asarray(strict.objects[0].mask).sum() == 400


def test_lvis_instances_may_lie_under_lvis_info(folder: Path, write: Write) -> None:
    listed = [{"bbox": each["bbox"], "segmentation": each["segmentation"]} for each in LVIS["annotations"]]
    write("lvis.json", {"annotations": [], "images": [{"id": 1, "lvis_info": listed}]})
    sample = read(folder, annotations="panoptic.json", lvis="lvis.json")
    assert np.asarray(sample.objects[0].mask).sum() == 20 * 18


def test_a_crowd_keeps_its_mask(folder: Path, write: Write) -> None:
    write("panoptic.json", segments(iscrowd=1))
    write("lvis.json", LVIS)
    square, _ = read(folder, annotations="panoptic.json", lvis="lvis.json").objects
    assert square.is_crowd
    assert np.asarray(square.mask).sum() == 400


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ([[1, 2, 3, 4]], "its polygon 0 is broken: 4 numbers, expected x and y of three corners at least"),
        ([], "its segmentation is empty, expected polygons or run lengths"),
    ],
)
def test_a_broken_mask_of_lvis_is_reported_and_the_segment_keeps_its_own(
    folder: Path, write: Write, broken: Any, said: str
) -> None:
    write("lvis.json", {"annotations": [{**LVIS["annotations"][0], "segmentation": broken}], "images": []})
    options = {"annotations": "panoptic.json", "lvis": "lvis.json"}
    dataset: Any = open_dataset({"use": "coco-panoptic", "path": str(folder), **options})
    sample = dataset.read("one.png").loaded()
    assert np.asarray(sample.objects[0].mask).sum() == 400
    assert sample.complete
    cause = f"one.png, annotation 70000: it keeps its own mask, for that of LVIS cannot be used: {said}"
    assert [(fault.key, fault.cause) for fault in dataset.faults] == [("one.png#70000", cause)]

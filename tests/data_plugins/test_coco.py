"""COCO instances: what is read is what the JSON says, and every fault is named while the rest is kept."""

import json
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seemkit.api import SeemkitError, open_dataset
from seemkit.data.dataset import IndexedDataset

Write = Callable[[str, Any], Path]


def opened(path: Path, use: str = "coco", **options: Any) -> IndexedDataset:
    found = open_dataset({"use": use, "path": str(path), **options})
    assert isinstance(found, IndexedDataset)
    return found


def test_objects_have_the_masks_names_and_numbers_of_the_json(write: Write, data: Any) -> None:
    dataset = opened(write("annotations/instances.json", data))
    assert dataset.info.names == ("square", "triangle")
    assert dataset.info.complete
    one, two = dataset.loaded()
    assert (one.key, two.key) == ("one.png", "two.png")
    square, triangle = one.objects
    assert (square.name, triangle.name) == ("square", "triangle")
    assert square.read_mask().sum() == 400
    assert square.read_mask()[10:30, 10:30].all()
    assert square.box == (10, 10, 30, 30)
    assert abs(int(triangle.read_mask().sum()) - 300) < 20  # half of 20 x 30, up to its border
    (crowd,) = two.objects
    assert crowd.is_crowd
    assert crowd.read_mask()[:, :8].all()
    assert not crowd.read_mask()[:, 8:].any()
    assert one.complete
    assert not dataset.faults


BROKEN = {
    "category": ({"category_id": 8}, "its category 8 is not listed"),
    "empty": ({"segmentation": []}, "its segmentation is empty, expected polygons or run lengths"),
    "two corners": ({"segmentation": [[1, 2, 3, 4]]}, "its polygon 0 is broken: 4 numbers"),
    "odd": ({"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}, "its polygon 0 is broken: 7 numbers"),
    "no number": ({"segmentation": [[1, 2, 3, 4, 5, None]]}, "it holds what is no finite number"),
    "run lengths": ({"segmentation": {"size": [48, 64], "counts": [5, 6]}}, "cover 11 of 3072 pixels"),
    "text": ({"segmentation": {"size": [48, 64], "counts": "zz!"}}, "does not decode to 48 x 64 pixels"),
    "short text": ({"segmentation": {"size": [48, 64], "counts": "11"}}, "does not decode to 48 x 64 pixels"),
    "no ASCII": ({"segmentation": {"size": [48, 64], "counts": "é"}}, "does not decode to 48 x 64 pixels"),
    "other size": ({"segmentation": {"size": [9, 9], "counts": [81]}}, "the picture has [48, 64]"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_annotation_is_reported_and_its_picture_kept(write: Write, data: Any, case: str) -> None:
    change, said = BROKEN[case]
    data["annotations"][0] |= change
    dataset = opened(write("instances.json", data))
    one, _ = dataset.loaded()
    assert [each.name for each in one.objects] == ["triangle"]
    assert not one.complete, "not everything is marked any more"
    (fault,) = dataset.faults
    assert fault.key == "one.png#11"
    assert fault.cause.startswith("one.png, annotation 11: ")
    assert said in fault.cause


def test_the_first_annotation_may_lack_its_mask(write: Write, data: Any) -> None:
    del data["annotations"][0]["segmentation"]
    dataset = opened(write("instances.json", data))
    assert [len(sample.objects) for sample in dataset] == [1, 1]
    assert [fault.key for fault in dataset.faults] == ["one.png#11"]


def test_what_the_json_gets_wrong_about_images_is_reported_when_it_is_opened(write: Write, data: Any) -> None:
    data["annotations"][1]["image_id"] = 5
    (fault,) = opened(write("instances.json", data)).faults
    assert fault.cause == "an annotation of instances.json is of the image 5, which is not listed"


def test_an_id_of_several_annotations_is_reported_once_and_all_are_kept(write: Write, data: Any) -> None:
    data["annotations"] += [{**data["annotations"][1], "id": 11} for _ in range(2)]
    dataset = opened(write("instances.json", data))
    assert [len(sample.objects) for sample in dataset] == [4, 1]
    (fault,) = dataset.faults
    assert fault.key == "instances.json#11"
    assert fault.cause == "several annotations of instances.json have the id 11, expected one of each"


def test_a_missing_image_is_reported_and_the_others_are_read(write: Write, data: Any) -> None:
    folder = write("instances.json", data)
    (folder / "images" / "one.png").unlink()
    dataset = opened(folder)
    assert [sample.key for sample in dataset] == ["two.png"]
    (fault,) = dataset.faults
    assert fault.cause == f"the image 'one.png' is not in {str(folder)!r}"


def test_an_image_of_another_size_than_the_json_says_is_reported(write: Write, data: Any) -> None:
    data["images"][0]["width"] = 80
    dataset = opened(write("instances.json", data))
    assert [sample.key for sample in dataset.loaded()] == ["two.png"]
    assert "is 80 x 48, the picture 64 x 48" in dataset.faults[0].cause


def test_a_tar_is_read_in_place(write: Write, data: Any, tmp_path: Path) -> None:
    folder = write("instances.json", data)
    with tarfile.open(tmp_path / "set.tar", "w") as tar:
        tar.add(folder / "instances.json", "instances.json")
        tar.add(folder / "images" / "one.png", "one.png")
        tar.add(folder / "images" / "two.png", "two.png")
    dataset = pickle.loads(pickle.dumps(opened(tmp_path / "set.tar")))  # noqa: S301 - our own
    one, two = dataset.loaded()
    assert one.read_image()[0, 0].tolist() == [60, 60, 60]
    assert two.read_image()[0, 0].tolist() == [150, 150, 150]


def test_several_jsons_want_a_choice(write: Write, data: Any) -> None:
    folder = write("a.json", data)
    (folder / "b.json").write_text(json.dumps(data))
    with pytest.raises(SeemkitError, match=r"several files are JSON of COCO instances: a\.json, b\.json"):
        opened(folder)
    assert len(opened(folder, annotations="b.json")) == 2
    with pytest.raises(SeemkitError, match=r"there is no 'c\.json'"):
        opened(folder, annotations="c.json")


def test_nothing_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SeemkitError, match="there is no JSON of COCO instances"):
        opened(tmp_path)
    with pytest.raises(SeemkitError, match="there is no folder or tar"):
        opened(tmp_path / "away")
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(SeemkitError, match=r"'x\.json' is not JSON that can be read"):
        opened(tmp_path, annotations="x.json")


def test_phrases_refer_to_one_object_each(write: Write, data: Any) -> None:
    data["annotations"][0]["sentences"] = [{"raw": "The Square "}, {"raw": "left one"}, {"raw": "left one"}]
    data["annotations"][1]["sentences"] = [{"raw": "the triangle"}, {"raw": "left one"}]
    data["annotations"][2]["sentences"] = []
    dataset = opened(write("refs.json", data), "coco-phrases")
    one, two = dataset.loaded()
    assert [each.phrases for each in one.objects] == [("the square",), ("the triangle",)]
    assert [each.name for each in one.objects] == ["square", "triangle"]
    assert not one.complete
    assert not two.objects
    assert dataset.faults[0].cause == "two.png, annotation 13: it has no sentence, expected sentences[0].raw"


def test_a_file_is_not_taken_for_another_format(write: Write, data: Any) -> None:
    data["annotations"][0]["sentences"] = [{"raw": "it"}]
    folder = write("refs.json", data)
    with pytest.raises(SeemkitError, match="there is no JSON of COCO instances"):
        opened(folder)
    with pytest.raises(SeemkitError, match="there is no JSON of COCO panoptic segments"):
        opened(folder, "coco-panoptic")


def test_the_photos_at_hand_can_all_be_read() -> None:
    import os

    folder = os.environ.get("SEEMKIT_DATA")
    if not folder:
        pytest.skip("SEEMKIT_DATA names no folder")
    instances = opened(Path(folder) / "coco-mini.tar", images="")
    assert len(instances) == 389  # as the README beside it says
    assert len(instances.info.categories) == 80
    samples = [instances.read(key) for key in instances.keys[:20]]
    assert all(np.any(each.read_mask()) for sample in samples for each in sample.objects)
    panoptic = opened(Path(folder) / "coco-mini.tar", "coco-panoptic", images="")
    assert len(panoptic) == 100
    assert len(panoptic.info.categories) == 133
    sample = panoptic.read(panoptic.keys[3]).loaded()
    assert sum(int(each.read_mask().sum()) for each in sample.objects) <= sample.read_image()[..., 0].size
    assert not panoptic.faults

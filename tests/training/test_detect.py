"""What lies at a path: COCO by its JSON, folders of images and masks, tars; else what would be right."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from seemkit.errors import SeemkitError
from seemkit.training.detect import detect_source
from seemkit.training.recipe import load_recipe

MASK = [[0, 0, 9, 0, 9, 9]]


def coco(*annotations: dict[str, Any]) -> str:
    return json.dumps({"images": [{"id": 1}], "annotations": annotations, "categories": []})


def put(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refused(path: Path) -> str:
    with pytest.raises(SeemkitError) as caught:
        detect_source(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("annotation", "use"),
    [
        ({"segmentation": MASK}, "coco"),
        ({"segmentation": MASK, "sentences": []}, "coco-phrases"),
        ({"segments_info": []}, "coco-panoptic"),
    ],
)
def test_coco_is_told_by_its_annotations(tmp_path: Path, annotation: dict[str, Any], use: str) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "train.json").write_text(coco({"bbox": [0, 0, 9, 9]}, annotation))
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "broken.json").write_text("{")
    assert detect_source(tmp_path) == {"use": use, "path": str(tmp_path)}


def test_folders_of_images_and_masks(photos: Path) -> None:
    assert detect_source(photos) == {
        "use": "folder",
        "path": str(photos),
        "images": "images",
        "masks_in": "masks",
    }
    (photos / "masks").rename(photos / "labels")
    assert detect_source(photos)["masks_in"] == "labels"


def test_tars(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"")
    assert detect_source(tmp_path)["use"] == "tar-pairs"


def test_what_cannot_be_told_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeemkitError, match="there is no data"):
        detect_source(tmp_path / "away")
    with pytest.raises(
        SeemkitError, match="is no data set that can be told: expected a JSON in COCO's format"
    ):
        detect_source(tmp_path)
    (tmp_path / "a.json").write_text(coco({"segmentation": MASK}))
    (tmp_path / "b.json").write_text(coco({"segments_info": []}))
    with pytest.raises(SeemkitError, match=r"several data sets: a\.json \(coco\), b\.json \(coco-panoptic\)"):
        detect_source(tmp_path)


def test_a_json_that_breaks_off_is_said_with_its_place(tmp_path: Path) -> None:
    file = put(tmp_path / "annotations" / "a.json", coco({"segmentation": MASK})[:60])
    put(tmp_path / "images" / "1.jpg")
    said = refused(tmp_path)
    assert said.startswith(f"{str(file)!r} is no valid JSON: ")
    assert "line 1 column" in said
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(file, "a.json")
        tar.add(tmp_path / "images" / "1.jpg", "1.jpg")
    assert "a.tar:a.json' is no valid JSON" in refused(tmp_path / "a.tar")


@pytest.mark.parametrize(
    ("annotations", "why"),
    [
        ([], "it lists no annotations"),
        ([{"bbox": [0, 0, 9, 9]}] * 3, "none of its 3 annotations has a 'segmentation'"),
        ([{"bbox": [0, 0, 9, 9], "segmentation": []}], "none of its 1 annotations has a 'segmentation'"),
    ],
)
def test_coco_without_masks_is_said(tmp_path: Path, annotations: list[dict[str, Any]], why: str) -> None:
    file = put(tmp_path / "boxes.json", coco(*annotations))
    assert refused(tmp_path).startswith(f"{str(file)!r} has no masks in it: {why}")


@pytest.mark.parametrize("images", ["train2017", "images/train2017"])
def test_the_layout_of_coco_is_answered_with_what_to_write(tmp_path: Path, images: str) -> None:
    root = tmp_path / "coco"
    for part in ("val2017", "train2017"):
        put(root / "annotations" / f"instances_{part}.json", coco({"segmentation": MASK}))
        put(root / "annotations" / f"captions_{part}.json", json.dumps({"images": 1}))
    (root / images).mkdir(parents=True)
    options = f"{{use: coco, path: ., annotations: annotations/instances_train2017.json, images: {images}}}"
    assert f"take one with --data {root} -s 'data.sources=[{options}]'" in refused(root)
    recipe = load_recipe("fine-tune", {"data.sources": yaml.safe_load(f"[{options}]")}, data=root)
    (source,) = recipe.sources
    settings = source.slot.settings.model_dump()
    assert (settings["path"], settings["images"]) == (root, images)


def test_the_training_part_of_an_export_is_taken(tmp_path: Path) -> None:
    for part in ("train", "valid", "test"):
        put(tmp_path / part / "_annotations.coco.json", coco({"segmentation": MASK}))
    assert detect_source(tmp_path) == {"use": "coco", "path": str(tmp_path / "train")}
    file = put(tmp_path / "train" / "_annotations.coco.json", coco({"bbox": [0, 0, 9, 9]}))
    assert refused(tmp_path).startswith(f"{str(file)!r} has no masks in it")


@pytest.mark.parametrize("folder", [".", "images"])
def test_images_and_masks_side_by_side(tmp_path: Path, folder: str) -> None:
    put(tmp_path / folder / "one.jpg")
    put(tmp_path / folder / "two.png")
    assert "is no data set that can be told" in refused(tmp_path)
    put(tmp_path / folder / "one.png")
    assert detect_source(tmp_path) == {
        "use": "folder",
        "path": str(tmp_path),
        "images": folder,
        "masks_in": folder,
    }


def test_a_json_may_be_named(tmp_path: Path) -> None:
    file = put(tmp_path / "mine.json", coco({"segmentation": MASK}))
    put(tmp_path / "other.json", coco({"segmentation": MASK}))
    assert detect_source(file) == {"use": "coco", "path": str(tmp_path), "annotations": "mine.json"}
    file = put(tmp_path / "annotations" / "instances_train2017.json", coco({"segments_info": []}))
    (tmp_path / "train2017").mkdir()
    assert detect_source(file) == {
        "use": "coco-panoptic",
        "path": str(tmp_path),
        "annotations": "annotations/instances_train2017.json",
        "images": "train2017",
    }
    assert "is no JSON in COCO's format" in refused(put(tmp_path / "package.json", "{}"))

"""What lies at a path: COCO by its JSON, folders of images and masks, tars; else what would be right."""

import json
from pathlib import Path
from typing import Any

import pytest

from seemkit.errors import SeemkitError
from seemkit.training.detect import detect_source


def coco(**annotation: Any) -> str:
    return json.dumps({"images": [{"id": 1}], "annotations": [annotation], "categories": []})


@pytest.mark.parametrize(
    ("annotation", "use"),
    [
        ({"segmentation": []}, "coco"),
        ({"segmentation": [], "sentences": []}, "coco-phrases"),
        ({"segments_info": []}, "coco-panoptic"),
    ],
)
def test_coco_is_told_by_its_annotations(tmp_path: Path, annotation: dict[str, Any], use: str) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "train.json").write_text(coco(**annotation))
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
    (tmp_path / "a.json").write_text(coco(segmentation=[]))
    (tmp_path / "b.json").write_text(coco(segments_info=[]))
    with pytest.raises(SeemkitError, match=r"several data sets: a\.json \(coco\), b\.json \(coco-panoptic\)"):
        detect_source(tmp_path)

"""Images that each have a JSON of masks, as SA-1B is published: in a folder, and in tars."""

import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from seemkit.api import SeemkitError, open_dataset

WHOLE = np.zeros((20, 30), np.uint8)
WHOLE[4:16, 5:25] = 1
PART = np.zeros((20, 30), np.uint8)
PART[4:8, 5:9] = 1


def run_lengths(mask: np.ndarray[Any, Any]) -> dict[str, Any]:
    """As SA-1B has them, by pycocotools."""
    found = coco.encode(np.asfortranarray(mask))
    return {"size": found["size"], "counts": found["counts"].decode()}


def files(**more: Any) -> dict[str, bytes]:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(buffer, "JPEG")
    masks = [
        {"id": 7, "segmentation": run_lengths(WHOLE), "predicted_iou": 0.95, "stability_score": 0.99},
        {"id": 8, "segmentation": run_lengths(PART), "predicted_iou": 0.85, "stability_score": 0.9, **more},
    ]
    data = {"image": {"image_id": 1, "height": 20, "width": 30}, "annotations": masks}
    return {"sa_1.jpg": buffer.getvalue(), "sa_1.json": json.dumps(data).encode()}


def write(path: Path, named: dict[str, bytes]) -> None:
    for name, content in named.items():
        (path / name).write_bytes(content)


def test_masks_may_lie_one_in_another_and_have_no_names(tmp_path: Path) -> None:
    write(tmp_path, files())
    (sample,) = open_dataset({"use": "segment-anything", "path": str(tmp_path)}).loaded()
    assert [np.asarray(each.mask).sum() for each in sample.objects] == [240, 16]
    assert {each.name for each in sample.objects} == {None}
    assert [each.key for each in sample.objects] == ["sa_1-7", "sa_1-8"]
    assert not sample.complete


def test_what_is_not_sure_enough_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, files())
    for option, count in [("least_iou", 1), ("least_stability", 1)]:
        (sample,) = open_dataset({"use": "segment-anything", "path": str(tmp_path), option: 0.92}).loaded()
        assert len(sample.objects) == count


def test_tars_are_read_in_place(tmp_path: Path) -> None:
    for number in (0, 1):
        with tarfile.open(tmp_path / f"sa_{number}.tar", "w") as tar:
            for name, content in files().items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    one = open_dataset({"use": "segment-anything", "path": str(tmp_path / "sa_0.tar")})
    assert [sample.key for sample in one] == ["sa_1"]
    both = open_dataset({"use": "segment-anything", "path": str(tmp_path)})
    assert [sample.key for sample in both] == ["sa_0/sa_1", "sa_1/sa_1"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"segmentation": {"size": [9, 9], "counts": "abc"}}, r"its run lengths are for \[9, 9\] pixels"),
        ({"predicted_iou": "high"}, "its predicted_iou is 'high', expected a number"),
    ],
)
def test_a_broken_mask_is_reported_and_the_others_kept(
    tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    write(tmp_path, files(**more))
    dataset = open_dataset({"use": "segment-anything", "path": str(tmp_path)})
    (sample,) = dataset.loaded()
    assert len(sample.objects) == 1
    (fault,) = dataset.faults
    assert fault.key == "sa_1#1"
    assert re.search(said, fault.cause)


def test_files_that_lack_their_other_half_are_reported(tmp_path: Path) -> None:
    named = files()
    write(
        tmp_path,
        {"sa_1.jpg": named["sa_1.jpg"], "sa_2.json": named["sa_1.json"], "sa_3.jpg": b"", "sa_3.json": b"["},
    )
    dataset = open_dataset({"use": "segment-anything", "path": str(tmp_path)})
    assert list(dataset.loaded()) == []
    causes = [fault.cause for fault in dataset.faults]
    assert causes[:2] == ["'sa_1' has no JSON", "'sa_2' has no image"]
    assert "is not JSON that can be read" in causes[2]


def test_a_place_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeemkitError, match="has no images with a JSON of masks beside each"):
        open_dataset({"use": "segment-anything", "path": str(tmp_path)})
    with pytest.raises(SeemkitError, match="there is no folder or tar"):
        open_dataset({"use": "segment-anything", "path": str(tmp_path / "gone")})

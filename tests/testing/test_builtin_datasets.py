"""The data sets that ship with seemkit keep the published contract, each on two pictures made here."""

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seemkit.testing import DatasetContract, Report, check_dataset
from seemkit_registry import default

SQUARE = [[10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0]]
IMAGES = [{"id": n, "file_name": f"{n}.png", "width": 64, "height": 48} for n in (1, 2)]
KEY, SYNSET = "picture", "n02084071"


def encoded(pixels: "np.ndarray[Any, Any]") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def square() -> "np.ndarray[Any, np.dtype[np.bool_]]":
    mask = np.zeros((48, 64), bool)
    mask[10:30, 10:30] = True
    return mask


PHOTO, MASK = encoded(np.full((48, 64, 3), 90)), encoded(square() * 255)
SEGMENTS = encoded(np.stack([np.where(square(), 1, 2), *np.zeros((2, 48, 64))], -1))


def write_folder(path: Path) -> None:
    for n in (1, 2):
        for folder, content in (("images", PHOTO), ("masks", MASK)):
            (path / folder).mkdir(exist_ok=True)
            (path / folder / f"{n}.png").write_bytes(content)


def write_tar(name: str, prefix: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with tarfile.open(path / name, "w") as tar:
            for n in (1, 2):
                for suffix, content in (("jpg", PHOTO), ("png", MASK)):
                    member = tarfile.TarInfo(f"{prefix}_{n}.{suffix}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))

    return write


def write_coco(path: Path, **square: object) -> None:
    write_folder(path)
    common = {"category_id": 7, "segmentation": SQUARE, "bbox": [10, 10, 20, 20], "area": 400}
    annotations = [{"id": 10 + n, "image_id": n, **common, **square} for n in (1, 2)]
    data = {"images": IMAGES, "categories": [{"id": 7, "name": "square"}], "annotations": annotations}
    (path / "instances.json").write_text(json.dumps(data))


def write_panoptic(path: Path) -> None:
    write_folder(path)
    (path / "panoptic").mkdir()
    parts = [{"id": 1, "category_id": 7, "area": 400}, {"id": 2, "category_id": 9, "area": 2672}]
    for n in (1, 2):
        (path / "panoptic" / f"{n}.png").write_bytes(SEGMENTS)
    data = {
        "images": IMAGES,
        "categories": [{"id": 7, "name": "square", "isthing": 1}, {"id": 9, "name": "sky", "isthing": 0}],
        "annotations": [{"image_id": n, "file_name": f"{n}.png", "segments_info": parts} for n in (1, 2)],
    }
    (path / "panoptic.json").write_text(json.dumps(data))


def write_anything(path: Path) -> None:
    about = {"height": 48, "width": 64}
    for n in (1, 2):
        (path / f"{n}.png").write_bytes(PHOTO)
        masks = [{"id": 1, "segmentation": SQUARE, "predicted_iou": 0.9}]
        (path / f"{n}.json").write_text(json.dumps({"image": about, "annotations": masks}))


MADE: Mapping[str, Callable[[Path], None]] = {
    "folder": write_folder,
    "tar-pairs": write_tar("pairs.tar", KEY),
    "duts": write_tar("duts-tr-0.tar", SYNSET),
    "coco": write_coco,
    "coco-phrases": lambda path: write_coco(path, sentences=[{"raw": "the square"}]),
    "coco-panoptic": write_panoptic,
    "segment-anything": write_anything,
}


def built_in() -> dict[str, Any]:
    return {c.name: found for c, found in default().load_all("datasets") if c.distribution == "seemkit"}


@pytest.mark.parametrize("name", sorted(built_in()))
def test_a_built_in_data_set_keeps_the_contract(name: str, tmp_path: Path) -> None:
    MADE[name](tmp_path)
    report: Report = check_dataset(built_in()[name], {"path": str(tmp_path)})
    assert report.ok, report
    not_panoptic = [] if name == "coco-panoptic" else ["test_panoptic_masks_do_not_overlap"]
    assert [each.name for each in report.skipped] == not_panoptic
    assert len(report.outcomes) == len(DatasetContract.checks())

"""Text and label figures on made-up photos: who is asked for, and what counts as right."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seemkit.evaluation.words import label_figures, read_panoptic, text_figures
from seemkit.training.pictures import held_out

HELD_OUT = next(i for i in range(1000) if held_out(i))
SEEN = next(i for i in range(1000) if not held_out(i))


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def encoded(array: np.ndarray, form: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, form, **({"lossless": True} if form == "WEBP" else {}))
    return stream.getvalue()


def ids() -> np.ndarray:
    """A large dog (id 300), a small cat (id 2), two cars (ids 70000, 4) and grass (id 5)."""
    plane = np.full((40, 60), 5)
    plane[0:20, 0:30], plane[25:33, 0:8], plane[25:30, 20:30], plane[25:30, 40:50] = 300, 2, 70000, 4
    return plane


@pytest.fixture
def data(tmp_path: Path) -> Path:
    kinds = {300: 1, 2: 2, 70000: 3, 4: 3, 5: 9}
    names = [(1, "dog", 1), (2, "cat", 1), (3, "car", 1), (9, "grass", 0)]
    panoptic = {
        "categories": [{"id": i, "name": name, "isthing": thing} for i, name, thing in names],
        "images": [{"id": 1, "file_name": "1.jpg"}],
        "annotations": [
            {
                "image_id": 1,
                "file_name": "1.png",
                "segments_info": [{"id": i, "category_id": kind, "iscrowd": 0} for i, kind in kinds.items()],
            }
        ],
    }
    square = [[0, 0, 30, 0, 30, 20, 0, 20]]
    speck = [[40, 25, 50, 25, 50, 35, 40, 35]]  # 100 pixels: too small for the figure
    instances = {
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
        "images": [{"id": i, "file_name": f"{i}.webp"} for i in (HELD_OUT, SEEN)],
        "annotations": [
            {"id": 10 * i + n, "image_id": i, "category_id": kind, "segmentation": shape}
            for i in (HELD_OUT, SEEN)
            for n, (kind, shape) in enumerate(((1, square), (2, speck)))
        ],
    }
    plane = ids()
    colours = np.stack((plane % 256, plane // 256 % 256, plane // 65536), axis=-1).astype(np.uint8)
    with tarfile.open(tmp_path / "coco.tar", "w") as tar:
        for name in {"1.webp", f"{HELD_OUT}.webp", f"{SEEN}.webp"}:
            add(tar, name, encoded(np.zeros((40, 60, 3), np.uint8), "WEBP"))
        add(tar, "panoptic/1.png", encoded(colours, "PNG"))
        add(tar, "panoptic.json", json.dumps(panoptic).encode())
        add(tar, "instances.json", json.dumps(instances).encode())
    return tmp_path / "coco.tar"


def test_segments_are_read_by_r_plus_256_g_plus_65536_b(data: Path) -> None:
    ((_, segments),) = read_panoptic(data)
    areas = [(name, thing, int(mask.sum())) for name, thing, mask in segments]
    assert areas[:4] == [("dog", True, 600), ("cat", True, 64), ("car", True, 50), ("car", True, 50)]
    assert areas[4] == ("grass", False, 2400 - 764)


def test_only_things_that_occur_once_are_asked_for_beside_the_largest_thing(data: Path, made_up: Any) -> None:
    model = made_up(lambda image, prompts: ids() == (300 if prompts[0].text == "dog" else 5))
    figures = {f.name: f for f in text_figures(model, data)}
    assert [prompts[0].text for prompts in model.asked] == ["dog", "cat"]
    share = figures["share IoU > 0.5"]
    assert (share.value, share.count) == (0.5, 2)
    assert share.note.endswith("largest thing: 0.500")
    assert figures["mIoU"].value == pytest.approx(0.5)


def test_labels_are_counted_on_large_objects_of_photos_held_out_only(data: Path, made_up: Any) -> None:
    square = np.zeros((40, 60), bool)
    for label, expected in (("dog", 1.0), ("cat", 0.0)):
        figures = label_figures(made_up(lambda image, prompts: square, label=label), data)
        assert [(f.value, f.count) for f in figures] == [(expected, 1), (expected, 1)]
        assert "held-out" in figures[0].split

"""A COCO folder of two pictures: a square and a triangle, a crowd, sentences, and panoptic segments."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

SQUARE = [[10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0]]
TRIANGLE = [[40.0, 10.0, 60.0, 10.0, 40.0, 40.0]]


def instances() -> dict[str, Any]:
    """Two pictures of 64 x 48 (width x height): one has a square and a triangle, the other a crowd."""
    crowd = {"size": [48, 64], "counts": [0, 48 * 8, 48 * 56]}  # the first eight columns
    return {
        "images": [
            {"id": 1, "file_name": "one.png", "width": 64, "height": 48},
            {"id": 2, "file_name": "two.png", "width": 64, "height": 48},
        ],
        "categories": [{"id": 7, "name": "square"}, {"id": 9, "name": "triangle"}],
        "annotations": [
            {
                "id": 11,
                "image_id": 1,
                "category_id": 7,
                "segmentation": SQUARE,
                "bbox": [10, 10, 20, 20],
                "area": 400,
            },
            {"id": 12, "image_id": 1, "category_id": 9, "segmentation": TRIANGLE, "bbox": [40, 10, 20, 30]},
            {"id": 13, "image_id": 2, "category_id": 7, "segmentation": crowd, "iscrowd": 1},
        ],
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """`write("instances.json", data)`: a folder with two photos in `images` and this JSON; given back."""

    def put(name: str, data: Any) -> Path:
        (tmp_path / "images").mkdir(exist_ok=True)
        for place, photo in enumerate(("one.png", "two.png")):
            pixels = np.full((48, 64, 3), 60 + 90 * place, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / photo)
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(data))
        return tmp_path

    return put


@pytest.fixture
def data() -> dict[str, Any]:
    return instances()

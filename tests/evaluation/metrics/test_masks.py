"""IoU against pycocotools; ignored pixels; containment."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco

from seemkit.evaluation.metrics.masks import contained, iou, overlap

PAIRS = arrays.arrays(bool, (2, 7, 9))


@settings(deadline=None)
@given(PAIRS)
def test_iou_is_that_of_pycocotools(pair: np.ndarray) -> None:
    if not pair.any():
        return  # pycocotools divides by zero
    one, two = (coco.encode(np.asfortranarray(mask, np.uint8)) for mask in pair)
    assert iou(pair[0], pair[1]) == pytest.approx(float(coco.iou([one], [two], [0])[0, 0]))


def test_two_empty_masks_agree() -> None:
    assert iou(np.zeros((3, 3), bool), np.zeros((3, 3), bool)) == 1.0


@settings(deadline=None)
@given(PAIRS, arrays.arrays(bool, (7, 9)))
def test_ignored_pixels_count_neither_way(pair: np.ndarray, ignore: np.ndarray) -> None:
    anything = pair.copy()
    anything[:, ignore] ^= True
    assert overlap(pair[0], pair[1], ignore) == overlap(anything[0], anything[1], ignore)


def test_containment_is_the_share_of_the_inner_mask() -> None:
    outer = np.zeros((4, 4), bool)
    outer[:2] = True
    assert contained(np.eye(4, dtype=bool), outer) == 0.5
    assert contained(np.zeros((4, 4), bool), outer) == 0.0

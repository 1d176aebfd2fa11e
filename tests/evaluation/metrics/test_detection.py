"""Mask AP is that of pycocotools; here against its definition on a case that can be worked out by hand."""

from typing import Any

import numpy as np
import pytest

from seemkit.evaluation.metrics.detection import mask_ap
from seemkit.results.coco import mask_box, run_lengths

IMAGE = {"id": 1, "height": 60, "width": 80}


def square(left: int) -> np.ndarray:
    mask = np.zeros((60, 80), bool)
    mask[20:40, left : left + 20] = True
    return mask


def annotation(number: int, mask: np.ndarray, **more: Any) -> dict[str, Any]:
    box = [float(v) for v in mask_box(mask)]
    area = float(mask.sum())
    return {"id": number, "image_id": 1, "category_id": 1, "segmentation": run_lengths(mask),
            "area": area, "bbox": box, "iscrowd": 0, **more}  # fmt: skip


def found(mask: np.ndarray, score: float, category: int = 1) -> dict[str, Any]:
    return {"image_id": 1, "category_id": category, "segmentation": run_lengths(mask), "score": score}


def test_all_found_is_1_and_half_found_half() -> None:
    truth = [annotation(1, square(0)), annotation(2, square(40))]
    both = mask_ap(truth, [found(square(0), 0.9), found(square(40), 0.8)], [IMAGE], [1])
    assert both["AP"] == pytest.approx(1.0)
    one = mask_ap(truth, [found(square(0), 0.9)], [IMAGE], [1])
    assert one["AP"] == pytest.approx(51 / 101)  # precision 1 at the recalls up to 0.5 of 101


def test_ap_falls_with_the_thresholds_that_a_mask_misses() -> None:
    truth = [annotation(1, square(0))]
    near = mask_ap(truth, [found(square(3), 0.9)], [IMAGE], [1])  # IoU 17 / 23 = 0.739: .50 to .70
    assert (near["AP50"], near["AP75"], near["AP"]) == (
        pytest.approx(1.0),
        pytest.approx(0.0),
        pytest.approx(0.5),
    )


def test_a_crowd_is_neither_missed_nor_spurious() -> None:
    truth = [annotation(1, square(0)), annotation(2, square(40), iscrowd=1)]
    figures = mask_ap(truth, [found(square(0), 0.5), found(square(40), 0.9)], [IMAGE], [1])
    assert figures["AP"] == pytest.approx(1.0)


def test_nothing_found_is_0_and_nothing_to_find_is_nan() -> None:
    assert mask_ap([annotation(1, square(0))], [], [IMAGE], [1])["AP"] == 0.0
    assert np.isnan(mask_ap([], [found(square(0), 0.9)], [IMAGE], [1])["AP"])
    assert np.isnan(mask_ap([annotation(1, square(0))], [found(square(0), 1.0)], [IMAGE], [1])["AP large"])

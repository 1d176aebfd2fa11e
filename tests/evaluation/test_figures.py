"""Figures: IoU against pycocotools, intervals against scipy, and the tables."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco
from scipy.stats import binomtest

from seemkit.evaluation.figures import Figure, Report, iou, wilson_interval

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
    assert iou(pair[0], pair[1], ignore) == iou(anything[0], anything[1], ignore)


@given(st.integers(1, 400), st.data())
def test_the_interval_is_wilsons(count: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, count))
    expected = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert wilson_interval(hits, count) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_a_report_keeps_protocol_split_and_seed_beside_each_figure() -> None:
    figure = Figure("clicks", "mIoU@3", 0.8612, "RITM", "GrabCut", 50, seed=4, note="n")
    report = Report({"model": "m"}, [figure])
    assert json.loads(report.to_json())["figures"] == [
        {"suite": "clicks", "name": "mIoU@3", "value": 0.8612, "protocol": "RITM", "split": "GrabCut",
         "count": 50, "seed": 4, "note": "n"}
    ]  # fmt: skip
    assert "| clicks | mIoU@3 | 0.861 | 50 | RITM | GrabCut | 4 | n |" in report.to_markdown()
    assert report.values() == {("clicks", "mIoU@3"): 0.8612}

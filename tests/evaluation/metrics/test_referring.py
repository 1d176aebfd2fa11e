"""Referring figures by hand."""

import numpy as np
import pytest

from seemkit.evaluation.metrics.referring import referring


def test_cumulative_iou_weighs_large_objects_and_mean_iou_does_not() -> None:
    figures = referring([(90, 100), (1, 10)])
    assert figures.ciou == pytest.approx(91 / 110)
    assert figures.miou == pytest.approx((0.9 + 0.1) / 2)


def test_an_iou_of_just_the_threshold_counts() -> None:
    figures = referring([(5, 10), (6, 10), (49, 100)])
    assert {t: sum(found) for t, found in figures.found.items()} == {50: 2, 60: 1, 70: 0, 80: 0, 90: 0}
    assert figures.precision[50] == pytest.approx(2 / 3)


def test_no_phrase_gives_no_number() -> None:
    assert np.isnan(referring([]).ciou)
    assert referring([]).count == 0

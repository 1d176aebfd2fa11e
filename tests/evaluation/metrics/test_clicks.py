"""NoC and k-IoU by hand."""

import numpy as np

from seemkit.evaluation.metrics.clicks import clicks_to_reach, mean_curve

CURVES = np.array([[0.5, 0.85, 0.8, 0.95], [0.2, 0.3, 0.4, 0.5], [0.9, 0.1, 0.1, 0.1]])


def test_noc_is_the_first_click_that_reaches_the_iou_and_the_cap_if_none_does() -> None:
    assert clicks_to_reach(CURVES, 0.85).tolist() == [2, 4, 1]
    assert clicks_to_reach(CURVES, 0.9).tolist() == [4, 4, 1]
    assert clicks_to_reach(CURVES, 0.9, cap=3).tolist() == [3, 3, 1]


def test_the_curve_is_the_mean_after_each_click() -> None:
    np.testing.assert_allclose(mean_curve(CURVES)[:2], [1.6 / 3, 1.25 / 3])

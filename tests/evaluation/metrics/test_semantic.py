"""Mean IoU against torchmetrics on random maps, and the rule for classes that are nowhere in the truth."""

import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassJaccardIndex

from seemkit.evaluation.metrics.semantic import class_areas, mean_iou

CLASSES = 5


@pytest.mark.parametrize("seed", range(6))
def test_mean_iou_is_the_macro_jaccard_index_of_torchmetrics(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(-1, CLASSES, (20, 30))
    made = np.where(rng.random(truth.shape) < 0.6, truth.clip(0), rng.integers(0, CLASSES, truth.shape))
    theirs = MulticlassJaccardIndex(CLASSES, average="macro", ignore_index=-1)
    expected = float(theirs(torch.from_numpy(made), torch.from_numpy(truth)))
    assert mean_iou(class_areas(truth, made)) == pytest.approx(expected, abs=1e-6)


def test_a_class_that_is_only_predicted_counts_as_nothing_right() -> None:
    truth, made = np.zeros((2, 4), int), np.array([[0, 0, 0, 0], [0, 0, 3, 3]])
    assert class_areas(truth, made) == {0: (6, 8, 6), 3: (0, 0, 2)}
    assert mean_iou(class_areas(truth, made)) == pytest.approx((6 / 8 + 0) / 2)


def test_what_is_ignored_counts_neither_way_and_no_prediction_is_a_miss() -> None:
    truth, made = np.array([[0, 0, -1, -1]]), np.array([[0, -1, 0, 2]])
    assert class_areas(truth, made) == {0: (1, 2, 1)}
    assert np.isnan(mean_iou({}))

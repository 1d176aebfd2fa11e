"""The boundary measure against an independent version that compares all pairs of pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from seemkit.evaluation.metrics.boundary import boundary_f


def slow_f(prediction: np.ndarray, truth: np.ndarray) -> float:
    """As in the DAVIS code: boundaries by shifts, matched within the radius, here by comparing all pairs."""

    def boundary(mask: np.ndarray) -> np.ndarray:
        rows, columns = mask.shape
        found = np.zeros(mask.shape, bool)
        for y in range(rows):
            for x in range(columns):
                right = mask[y, x + 1] if x + 1 < columns else mask[y, x]
                below = mask[y + 1, x] if y + 1 < rows else mask[y, x]
                both = mask[y + 1, x + 1] if x + 1 < columns and y + 1 < rows else mask[y, x]
                found[y, x] = mask[y, x] != right or mask[y, x] != below or mask[y, x] != both
        return np.argwhere(found)

    a, b = boundary(prediction), boundary(truth)
    if len(a) == 0 or len(b) == 0:
        return float(len(a) == len(b))
    reach = np.ceil(0.008 * np.hypot(*truth.shape))
    near = np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1)) <= reach
    precision, recall = near.any(1).mean(), near.any(0).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


@settings(deadline=None, max_examples=50)
@given(arrays.arrays(bool, (2, 9, 11)))
def test_f_is_that_of_comparing_all_pairs(pair: np.ndarray) -> None:
    assert boundary_f(pair[0], pair[1]) == pytest.approx(slow_f(pair[0], pair[1]))


def test_a_shift_beyond_the_tolerance_costs_and_one_within_does_not() -> None:
    truth = np.zeros((200, 300), bool)  # a diagonal of 361 pixels: 3 pixels are tolerated
    truth[50:150, 50:250] = True
    assert boundary_f(np.roll(truth, 3, 1), truth) == 1.0
    assert boundary_f(np.roll(truth, 4, 1), truth) < 0.9

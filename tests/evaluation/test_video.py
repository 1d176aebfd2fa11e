"""J and F of DAVIS: hand-made masks, and an independent version of the boundary measure."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from seemkit.evaluation.datasets import Labelled
from seemkit.evaluation.video import boundary_f, video_figures


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


def frames(count: int) -> list[Labelled]:
    """A square that moves by ten pixels a frame."""
    made = []
    for n in range(count):
        mask = np.zeros((60, 100), bool)
        mask[20:40, 10 * n : 10 * n + 20] = True
        image = np.full((60, 100, 3), n, np.uint8)
        made.append(Labelled(str(n), image, mask, np.zeros(mask.shape, bool)))
    return made


def test_a_tracker_that_follows_has_1_and_one_that_stands_still_falls_behind(made_up: Any) -> None:
    film = frames(3)
    follows = made_up(lambda image, prompts: film[int(image[0, 0, 0])].mask)
    stands = made_up(lambda image, prompts: film[0].mask)
    assert [f.value for f in video_figures(follows, film, "v", memory=True)] == [1.0, 1.0, 1.0]
    values = {f.name: f.value for f in video_figures(stands, film, "v", memory=True)}
    # frame 1 overlaps by half a square (1/3), frame 2 not at all; the first frame does not count
    assert values["J"] == pytest.approx((1 / 3 + 0) / 2)
    assert values["J&F"] == pytest.approx((values["J"] + values["F"]) / 2)


def test_the_first_frames_mask_is_what_is_given(made_up: Any) -> None:
    film = frames(2)
    model = made_up(lambda image, prompts: film[0].mask)
    video_figures(model, film, "v", memory=False)
    (given,) = model.asked[0]
    np.testing.assert_array_equal(given.mask, film[0].mask)

"""J and F of DAVIS on hand-made masks."""

from typing import Any

import numpy as np
import pytest

from seemkit.evaluation.datasets import Labelled
from seemkit.evaluation.video import video_figures


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

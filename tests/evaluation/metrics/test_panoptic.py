"""Panoptic quality against torchmetrics on random maps; void and crowd rules by hand (panopticapi's rules).

Predicted maps are complete here: where nothing is predicted, torchmetrics excuses the truth, panopticapi does not.
"""

import numpy as np
import pytest
import torch
from torchmetrics.detection import PanopticQuality

from seemkit.evaluation.metrics.panoptic import (
    ClassCount,
    PanopticSegment,
    match_segments,
    panoptic_quality,
)

THINGS, STUFF = {1, 2, 3}, {4, 5}
UNKNOWN = 99


def random_map(rng: np.random.Generator) -> tuple[np.ndarray, dict[int, int]]:
    """Rectangles over each other, stuff once a class: ids (H, W), 0 for void, and the class of each id."""
    ids = np.zeros((30, 40), int)
    classes: dict[int, int] = {}
    for number in range(1, 9):
        y, x = rng.integers(0, 25), rng.integers(0, 35)
        h, w = rng.integers(4, 20, 2)
        category = int(rng.integers(1, 6))
        taken = [i for i, c in classes.items() if c == category and category in STUFF]
        classes.setdefault(taken[0] if taken else number, category)
        ids[y : y + h, x : x + w] = taken[0] if taken else number
    return ids, {i: c for i, c in classes.items() if (ids == i).any()}


def random_answer(
    rng: np.random.Generator, truth: np.ndarray, classes: dict[int, int], alike: bool
) -> tuple[np.ndarray, dict[int, int]]:
    """The truth a little moved, or another map; what is void becomes a segment of its own."""
    made, made_classes = (np.roll(truth, rng.integers(0, 3), 1), dict(classes))
    if not alike:
        made, made_classes = random_map(rng)
    made[made == 0], made_classes[50] = 50, int(rng.integers(1, 4))
    return made, {i: c for i, c in made_classes.items() if (made == i).any()}


def as_torchmetrics(ids: np.ndarray, classes: dict[int, int]) -> torch.Tensor:
    """(1, H, W, 2) of class and instance; what is in no segment gets a class that is unknown."""
    category = np.full(ids.shape, UNKNOWN)
    for i, c in classes.items():
        category[ids == i] = c
    return torch.from_numpy(np.stack((category, ids), -1))[None]


def segments(classes: dict[int, int]) -> dict[int, PanopticSegment]:
    return {i: PanopticSegment(c) for i, c in classes.items()}


@pytest.mark.parametrize("seed", range(12))
def test_quality_is_that_of_torchmetrics(seed: int) -> None:
    rng = np.random.default_rng(seed)
    theirs = PanopticQuality(THINGS, STUFF, allow_unknown_preds_category=True, return_sq_and_rq=True)
    ours: dict[int, ClassCount] = {}
    for turn in range(4):
        truth, classes = random_map(rng)
        made, made_classes = random_answer(rng, truth, classes, alike=turn < 3)
        theirs.update(as_torchmetrics(made, made_classes), as_torchmetrics(truth, classes))
        for category, count in match_segments(truth, segments(classes), made, segments(made_classes)).items():
            ours[category] = ours.get(category, ClassCount()) + count
    found = panoptic_quality(ours)
    assert [found.pq, found.sq, found.rq] == pytest.approx(theirs.compute().tolist())
    assert 0 < found.pq < 1


def test_things_and_stuff_are_averaged_apart() -> None:
    counts = {1: ClassCount(1, 0, 0, 0.8), 4: ClassCount(1, 1, 1, 0.6), 2: ClassCount()}
    assert panoptic_quality(counts, THINGS).pq == pytest.approx(0.8)
    assert panoptic_quality(counts, STUFF).pq == pytest.approx(0.6 / 2)
    whole = panoptic_quality(counts)
    assert (whole.pq, whole.classes) == (pytest.approx((0.8 + 0.3) / 2), 2)
    assert (whole.sq, whole.rq) == (pytest.approx(0.7), pytest.approx((1 + 0.5) / 2))


def test_a_segment_mostly_in_void_or_in_a_crowd_of_its_class_counts_neither_way() -> None:
    truth, made = np.zeros((10, 10), int), np.zeros((10, 10), int)
    truth[:, 5:] = 7
    made[:4, :5], made[5:8, 5:], made[8:, 5:] = 1, 2, 3
    crowd = {7: PanopticSegment(1, crowd=True)}
    predicted = {1: PanopticSegment(1), 2: PanopticSegment(1), 3: PanopticSegment(2)}
    # 1 lies in void, 2 in a crowd of its class, 3 in a crowd of another class; nobody misses a crowd
    assert match_segments(truth, crowd, made, predicted) == {2: ClassCount(spurious=1)}


def test_void_pixels_do_not_enlarge_the_union() -> None:
    truth, made = np.zeros((10, 10), int), np.zeros((10, 10), int)
    truth[:5], made[:9] = 1, 1  # 50 pixels; 40 more are void
    one = {1: PanopticSegment(1)}
    assert match_segments(truth, one, made, one) == {1: ClassCount(matched=1, overlap=1.0)}


def test_the_class_of_another_is_no_match() -> None:
    plane = np.ones((4, 4), int)
    found = match_segments(plane, {1: PanopticSegment(1)}, plane, {1: PanopticSegment(2)})
    assert found == {1: ClassCount(missed=1), 2: ClassCount(spurious=1)}
    assert np.isnan(panoptic_quality({}).pq)

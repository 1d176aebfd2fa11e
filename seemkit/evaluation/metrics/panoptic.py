"""Panoptic quality.

Source: Kirillov et al., Panoptic Segmentation, CVPR 2019, with the void and crowd rules of panopticapi.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ClassCount", "PanopticSegment", "Quality", "match_segments", "panoptic_quality"]

VOID = 0
"""The id of pixels that belong to no segment."""


@dataclass(frozen=True)
class PanopticSegment:
    """A segment of a map of ids: its class, and whether it is a crowd, which matches nothing."""

    category: int
    crowd: bool = False


@dataclass(frozen=True)
class ClassCount:
    """What was found of one class, in one image or in many.

    Attributes:
        matched: pairs of segments of the class with an IoU above 0.5.
        spurious: predicted segments that match nothing.
        missed: true segments that match nothing.
        overlap: the sum of the IoUs of the matched pairs.
    """

    matched: int = 0
    spurious: int = 0
    missed: int = 0
    overlap: float = 0.0

    def __add__(self, other: "ClassCount") -> "ClassCount":
        return ClassCount(
            self.matched + other.matched,
            self.spurious + other.spurious,
            self.missed + other.missed,
            self.overlap + other.overlap,
        )


@dataclass(frozen=True)
class Quality:
    """Means over classes that occur: PQ = SQ * RQ class by class. All are in [0, 1], NaN over no class."""

    pq: float
    sq: float
    rq: float
    classes: int


def match_segments(
    truth: NDArray[np.integer],
    true_segments: Mapping[int, PanopticSegment],
    prediction: NDArray[np.integer],
    predicted_segments: Mapping[int, PanopticSegment],
) -> dict[int, ClassCount]:
    """Counts by class for one image.

    Segments match if they are of one class and their IoU, without void pixels of the truth, is above 0.5. A
    predicted segment that lies by more than half in void, or in a crowd of its class, counts neither way.

    Args:
        truth: (H, W) ids of segments; an id that `true_segments` lacks is void.
        true_segments: what the ids of `truth` are.
        prediction: (H, W) ids of segments; an id that `predicted_segments` lacks is nothing.
        predicted_segments: what the ids of `prediction` are.
    """
    real = np.where(np.isin(truth, list(true_segments)), truth, VOID).astype(np.int64)
    made = np.where(np.isin(prediction, list(predicted_segments)), prediction, VOID).astype(np.int64)
    real_area, made_area, shared = _areas(real), _areas(made), _shared(real, made)
    counts: dict[int, ClassCount] = {}

    def add(category: int, count: ClassCount) -> None:
        counts[category] = counts.get(category, ClassCount()) + count

    matched_real, matched_made = set(), set()
    for (real_id, made_id), both in shared.items():
        if VOID in (real_id, made_id):
            continue
        true_segment, predicted = true_segments[real_id], predicted_segments[made_id]
        if true_segment.crowd or true_segment.category != predicted.category:
            continue
        union = real_area[real_id] + made_area[made_id] - both - shared.get((VOID, made_id), 0)
        if both / union > 0.5:
            add(predicted.category, ClassCount(matched=1, overlap=both / union))
            matched_real.add(real_id)
            matched_made.add(made_id)
    crowds = {s.category: i for i, s in true_segments.items() if s.crowd and i in real_area}
    for real_id, true_segment in true_segments.items():
        if not true_segment.crowd and real_id in real_area and real_id not in matched_real:
            add(true_segment.category, ClassCount(missed=1))
    for made_id, predicted in predicted_segments.items():
        if made_id in matched_made or made_id not in made_area:
            continue
        excused = shared.get((VOID, made_id), 0)
        if predicted.category in crowds:
            excused += shared.get((crowds[predicted.category], made_id), 0)
        if excused / made_area[made_id] <= 0.5:
            add(predicted.category, ClassCount(spurious=1))
    return counts


def panoptic_quality(counts: Mapping[int, ClassCount], classes: Iterable[int] | None = None) -> Quality:
    """PQ, SQ and RQ over the classes that occur, of those in `classes` if given."""
    chosen = set(counts) if classes is None else set(classes) & set(counts)
    rows = [_of_class(counts[category]) for category in sorted(chosen)]
    rows = [row for row in rows if row is not None]
    if not rows:
        return Quality(float("nan"), float("nan"), float("nan"), 0)
    pq, sq, rq = (float(np.mean(column)) for column in zip(*rows, strict=True))
    return Quality(pq, sq, rq, len(rows))


def _of_class(count: ClassCount) -> Sequence[float] | None:
    weight = count.matched + 0.5 * count.spurious + 0.5 * count.missed
    if weight == 0:
        return None
    return count.overlap / weight, count.overlap / max(count.matched, 1), count.matched / weight


def _areas(ids: NDArray[np.int64]) -> dict[int, int]:
    found, counts = np.unique(ids, return_counts=True)
    return {int(i): int(n) for i, n in zip(found, counts, strict=True) if i != VOID}


def _shared(a: NDArray[np.int64], b: NDArray[np.int64]) -> dict[tuple[int, int], int]:
    """Pixels that each pair of ids shares."""
    pairs, counts = np.unique(np.stack((a.ravel(), b.ravel())), axis=1, return_counts=True)
    return {(int(i), int(j)): int(n) for (i, j), n in zip(pairs.T, counts, strict=True)}

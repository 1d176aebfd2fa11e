"""Referring segmentation: how well phrases find their objects.

Source: SEEM's evaluator of RefCOCOg: cIoU is the sum of intersections over the sum of unions, mIoU the mean over
phrases, AP50 the share of phrases with an IoU of at least 0.5 (elsewhere called precision@0.5).
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Referring", "referring"]


@dataclass(frozen=True)
class Referring:
    """Figures over phrases.

    Attributes:
        ciou: cumulative IoU.
        miou: mean IoU.
        precision: share of phrases with an IoU of at least the threshold, by threshold in per cent.
        found: by threshold in per cent, whether each phrase has that.
        count: of phrases.
    """

    ciou: float
    miou: float
    precision: dict[int, float]
    found: dict[int, tuple[bool, ...]]
    count: int


def referring(
    pairs: Sequence[tuple[int, int]], thresholds: Sequence[int] = (50, 60, 70, 80, 90)
) -> Referring:
    """Figures from (intersection, union) in pixels for each phrase; NaN without any phrase."""
    scores = [both / union if union else 1.0 for both, union in pairs]
    count = len(scores)
    nan = float("nan")
    union = sum(u for _, u in pairs)
    found = {t: tuple(score >= t / 100 for score in scores) for t in thresholds}
    return Referring(
        ciou=sum(b for b, _ in pairs) / union if union else nan,
        miou=sum(scores) / count if count else nan,
        precision={t: sum(each) / count if count else nan for t, each in found.items()},
        found=found,
        count=count,
    )

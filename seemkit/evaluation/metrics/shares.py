"""How sure a share is, and how sure it is that it is more than a baseline's on the same questions."""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

__all__ = ["Paired", "paired", "share_interval"]


@dataclass(frozen=True)
class Paired:
    """Two ways to answer the same questions.

    Attributes:
        better: how often this one is right where the other is wrong.
        worse: how often the reverse.
        p: two-sided, of so uneven a split if neither were better; 1 where they never differ.
    """

    better: int
    worse: int
    p: float

    def __str__(self) -> str:
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.2g}"
        return f"right {self.better} times where that is wrong, {self.worse} the reverse, {p}"


def share_interval(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of the share hits / count (Wilson, JASA 1927); (0, 1) for a count of 0."""
    if count == 0:
        return 0.0, 1.0
    found = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def paired(hits: Sequence[bool], others: Sequence[bool]) -> Paired:
    """McNemar's exact test (Psychometrika 1947) on answers to the same questions: a sign test of those that differ.

    Args:
        hits: whether each answer is right.
        others: whether the other way's answer to it is.

    Raises:
        ValueError: they are not as many.
    """
    better = sum(bool(a) and not b for a, b in zip(hits, others, strict=True))
    worse = sum(bool(b) and not a for a, b in zip(hits, others, strict=True))
    p = float(binomtest(better, better + worse).pvalue) if better + worse else 1.0
    return Paired(better, worse, p)

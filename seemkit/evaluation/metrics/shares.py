"""How sure a share is."""

from scipy.stats import binomtest

__all__ = ["share_interval"]


def share_interval(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of the share hits / count (Wilson, JASA 1927); (0, 1) for a count of 0."""
    if count == 0:
        return 0.0, 1.0
    found = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)

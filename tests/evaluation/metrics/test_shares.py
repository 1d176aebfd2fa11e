"""Wilson's interval by its formula (Wilson, JASA 1927)."""

import math

import pytest

from seemkit.evaluation.metrics.shares import share_interval


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (3, 10), (34, 171), (171, 171)])
def test_the_interval_is_wilsons(hits: int, count: int) -> None:
    z, p = 1.959963985, hits / count
    centre = (p + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(p * (1 - p) / count + z * z / (4 * count**2))
    assert share_interval(hits, count) == pytest.approx((centre - reach, centre + reach), abs=1e-9)


def test_nothing_counted_says_nothing() -> None:
    assert share_interval(0, 0) == (0.0, 1.0)

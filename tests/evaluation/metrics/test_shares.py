"""Wilson's interval by its formula (Wilson, JASA 1927), McNemar's exact test by counting."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seemkit.evaluation.metrics.shares import paired, share_interval


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (3, 10), (34, 171), (171, 171)])
def test_the_interval_is_wilsons(hits: int, count: int) -> None:
    z, p = 1.959963985, hits / count
    centre = (p + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(p * (1 - p) / count + z * z / (4 * count**2))
    assert share_interval(hits, count) == pytest.approx((centre - reach, centre + reach), abs=1e-9)


def test_nothing_counted_says_nothing() -> None:
    assert share_interval(0, 0) == (0.0, 1.0)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_two_ways_to_answer_are_compared_where_they_differ(pairs: list[tuple[bool, bool]]) -> None:
    found = paired([a for a, _ in pairs], [b for _, b in pairs])
    assert (found.better, found.worse) == (pairs.count((True, False)), pairs.count((False, True)))
    n, k = found.better + found.worse, min(found.better, found.worse)
    tail = sum(math.comb(n, i) for i in range(k + 1)) / 2**n  # of a fair coin
    assert found.p == pytest.approx(min(1.0, 2 * tail))


def test_a_comparison_says_in_words_what_it_found() -> None:
    said = str(paired([True] * 9 + [False] * 2, [False] * 9 + [True] * 2))
    assert said == "right 9 times where that is wrong, 2 the reverse, p = 0.065"  # 2 (1 + 11 + 55) / 2 ** 11
    assert str(paired([True] * 30, [False] * 30)).endswith("p < 0.001")


def test_answers_to_other_questions_are_not_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired([True, False], [True])

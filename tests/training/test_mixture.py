"""The order of pictures: by shares, every picture before any again, and told from the number alone."""

import pickle
from collections import Counter

import pytest

from seemkit.training.mixture import BLOCK, Mixture


def test_shares_hold_in_every_stretch() -> None:
    mixture = Mixture([10, 700, 3], [1, 2, 1], seed=0)
    for start in (0, 5 * BLOCK, 1000 * BLOCK):
        counts = Counter(mixture(start + i)[0] for i in range(4 * BLOCK))
        assert counts[1] == pytest.approx(2 * BLOCK, abs=2)
        assert counts[0] == pytest.approx(BLOCK, abs=2)


def test_a_source_repeats_no_picture_before_it_has_shown_all() -> None:
    mixture = Mixture([10, 70], [1, 3], seed=1)
    seen = [place for source, place in map(mixture, range(2000)) if source == 1]
    for epoch in range(len(seen) // 70):
        assert sorted(seen[70 * epoch : 70 * epoch + 70]) == list(range(70))
    assert seen[:70] != seen[70:140], "the next time in another order"


def test_the_order_follows_from_seed_and_number() -> None:
    mixture, other = Mixture([10, 70], [1, 3], 1), Mixture([10, 70], [1, 3], 2)
    copied = pickle.loads(pickle.dumps(mixture))  # noqa: S301 - our own
    numbers = [999, 3, 512, 0, 255, 256]
    assert [mixture(n) for n in numbers] == [copied(n) for n in numbers]
    assert [mixture(n) for n in range(50)] != [other(n) for n in range(50)]


def test_another_picture_is_of_the_same_source() -> None:
    mixture = Mixture([10, 70], [1, 3], 1)
    for number in range(20):
        source, _ = mixture(number)
        assert all(mixture.another(number, attempt)[0] == source for attempt in (1, 2, 3))
        assert mixture.another(number, 1) == mixture.another(number, 1)

"""Paths are run in turn, and compared repetition by repetition; the clock is a fake one."""

import pytest

from seemkit.benchmark.timing import interleave, median, ratio


def test_every_path_runs_once_a_repetition_and_none_is_always_first() -> None:
    ran: list[str] = []
    interleave({name: lambda name=name: ran.append(name) for name in "abc"}, repeats=3, warmup=0)
    assert ["".join(ran[i : i + 3]) for i in (0, 3, 6)] == ["abc", "bca", "cab"]


def test_warm_ups_come_before_and_are_not_timed() -> None:
    ran: list[str] = []
    found = interleave({name: lambda name=name: ran.append(name) for name in "ab"}, repeats=2, warmup=2)
    assert ran[:4] == ["a", "a", "b", "b"]
    assert {name: len(seconds) for name, seconds in found.items()} == {"a": 2, "b": 2}


def test_what_is_measured_is_what_the_path_itself_took() -> None:
    now = [0.0]

    def take(seconds: float) -> None:
        now[0] += seconds

    found = interleave({"short": lambda: take(1), "long": lambda: take(5)}, repeats=3, clock=lambda: now[0])
    assert found == {"short": [1, 1, 1], "long": [5, 5, 5]}


def test_a_load_that_falls_on_both_paths_of_a_repetition_does_not_move_the_ratio() -> None:
    load = [1, 10, 3]
    mine, other = [2.0 * x for x in load], [8.0 * x for x in load]
    assert ratio(mine, other) == 0.25
    assert ratio([*mine, 1000], [*other, 8]) == 0.25  # nor does a single odd run
    assert median([3, 1, 2]) == 2


def test_runs_that_are_not_paired_are_refused() -> None:
    with pytest.raises(ValueError):
        ratio([1.0], [1.0, 2.0])


def test_no_repetition_is_refused() -> None:
    with pytest.raises(ValueError, match="repeats is 0"):
        interleave({"a": lambda: None}, repeats=0)

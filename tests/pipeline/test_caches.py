"""A bounded cache that threads share."""

import threading

from seemkit.pipeline.caches import Cache


def test_a_value_is_made_once() -> None:
    cache: Cache[int] = Cache(2)
    made: list[int] = []
    for _ in range(3):
        assert cache.get("a", lambda: made.append(1) or 7) == 7  # type: ignore[func-returns-value]
    assert len(made) == 1


def test_the_value_used_longest_ago_goes_first() -> None:
    cache: Cache[str] = Cache(2)
    for key in ("a", "b", "a", "c"):
        cache.get(key, lambda key=key: key)  # type: ignore[misc]
    assert len(cache) == 2
    assert cache.get("a", lambda: "made again") == "a"
    assert cache.get("b", lambda: "made again") == "made again"


def test_none_is_a_value_too() -> None:
    cache: Cache[None] = Cache(1)
    made: list[int] = []
    for _ in range(2):
        cache.get("a", lambda: made.append(1))
    assert len(made) == 1


def test_what_cannot_be_made_is_not_kept() -> None:
    cache: Cache[float] = Cache(1)
    for _ in range(2):
        try:
            cache.get("a", lambda: 1 / 0)
        except ZeroDivisionError:
            continue
    assert len(cache) == 0
    assert cache.get("a", lambda: 1.0) == 1.0


def test_clear_forgets() -> None:
    cache: Cache[int] = Cache(3)
    cache.get("a", lambda: 1)
    cache.clear()
    assert len(cache) == 0


def test_threads_get_right_values_and_the_bound_holds() -> None:
    cache: Cache[int] = Cache(5)
    wrong: list[int] = []

    def work(seed: int) -> None:
        for i in range(300):
            key = (seed * 7 + i * 13) % 11
            if cache.get(key, lambda key=key: key * key) != key * key:  # type: ignore[misc]
                wrong.append(key)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(cache) == 5

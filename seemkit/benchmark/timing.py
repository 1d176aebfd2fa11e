"""Timing of paths that compute the same: interleaved in one run, so that a busy machine is busy for all of them."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch

__all__ = ["WARMUP", "interleave", "median", "ratio", "wait"]

WARMUP = 1
"""Runs of each path before the clock counts: caches fill, kernels are chosen, memory is mapped."""


def interleave(
    paths: Mapping[str, Callable[[], object]],
    *,
    repeats: int,
    warmup: int = WARMUP,
    device: torch.device | str = "cpu",
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each run of each path.

    Each repetition runs every path once, and begins with another of them, so that none always comes first.

    Args:
        paths: what to run, by name.
        repeats: runs of each path that count.
        warmup: runs of each path before.
        device: a CUDA device is waited for before the clock is read.
        clock: seconds.
    """
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}, expected at least 1")
    for run in paths.values():
        for _ in range(warmup):
            run()
    names = list(paths)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(repeats):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            wait(device)
            start = clock()
            paths[name]()
            wait(device)
            seconds[name].append(clock() - start)
    return seconds


def median(seconds: list[float]) -> float:
    """The middle of the runs."""
    return statistics.median(seconds)


def ratio(mine: list[float], other: list[float]) -> float:
    """How long one path takes as a share of another: the median over repetitions, run by run.

    The two of a repetition ran one after the other, so a load that comes and goes falls on both.
    """
    return statistics.median(a / b for a, b in zip(mine, other, strict=True))


def wait(device: torch.device | str) -> None:
    """Until a CUDA device has done what it was given; nothing elsewhere."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)

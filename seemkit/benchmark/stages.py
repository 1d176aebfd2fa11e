"""Times of the parts of a module, taken while it runs: where its time goes."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from seemkit.benchmark.timing import median, wait

__all__ = ["stage_seconds", "stages_of"]


def stages_of(module: nn.Module) -> dict[str, nn.Module]:
    """The parts of a module by name: its children, those of lists and sequences one by one.

    A module with one child only is a wrapper, and its parts are those of the child.
    """
    found = dict(_parts(module, ""))
    while len(found) == 1:
        ((name, only),) = found.items()
        inner = dict(_parts(only, f"{name}."))
        if not inner:
            break
        found = inner
    return found


def stage_seconds(
    module: nn.Module, run: Callable[[], object], *, repeats: int, device: torch.device | str = "cpu"
) -> dict[str, float]:
    """Seconds in each part of a module, the median of some runs; parts that did not run are left out.

    On a CUDA device it is waited for before and after each part, so the sum is more than a run takes.
    """
    runs: list[dict[str, float]] = []
    started: dict[str, float] = {}
    handles = []

    def begin(name: str) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            wait(device)
            started[name] = time.perf_counter()

        return hook

    def end(name: str) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            wait(device)
            runs[-1][name] = runs[-1].get(name, 0.0) + time.perf_counter() - started[name]

        return hook

    for name, part in stages_of(module).items():
        handles += [part.register_forward_pre_hook(begin(name)), part.register_forward_hook(end(name))]
    try:
        for _ in range(repeats):
            runs.append({})
            run()
    finally:
        for handle in handles:
            handle.remove()
    return {name: median([each[name] for each in runs]) for name in runs[0]}


def _parts(module: nn.Module, prefix: str) -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        if isinstance(child, nn.ModuleList | nn.Sequential):
            yield from ((f"{prefix}{name}.{inner}", part) for inner, part in child.named_children())
        else:
            yield prefix + name, child

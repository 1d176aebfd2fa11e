"""A run of the benchmark: a model is loaded, groups of cases are measured, a report comes back."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from pydantic import JsonValue

from seemkit.assembly import load_assembly
from seemkit.benchmark.groups import GROUPS, load_group
from seemkit.benchmark.machine import look_at_machine
from seemkit.benchmark.report import Report, Setting
from seemkit.benchmark.subject import Subject, make_photo
from seemkit.errors import SeemkitError
from seemkit.pipeline.load import load

if TYPE_CHECKING:
    from seemkit.pipeline.model import Model

__all__ = ["run_benchmark"]

SEED = 0


def run_benchmark(
    assembly: str = "nano",
    groups: Sequence[str] = tuple(GROUPS),
    *,
    size: int | None = None,
    weights: str | None = "auto",
    device: str = "auto",
    overrides: Mapping[str, JsonValue] | None = None,
    repeats: int = 5,
    count: bool = True,
    say: Callable[[str], None] = lambda _: None,
    command: str = "seemkit bench",
) -> Report:
    """Measure.

    Args:
        assembly: a shipped assembly, or the path of a YAML file.
        groups: which cases; see :data:`seemkit.benchmark.groups.GROUPS`.
        size: side of the square photo in pixels, which is not resized; by default as the assembly resizes.
        weights: a path, None for random ones; "auto" takes those of the assembly if they are here.
        device: as for :func:`seemkit.load`.
        overrides: options of the assembly, by dotted path.
        repeats: runs of each path that count.
        count: whether floating-point operations are counted too, in one more run of each path.
        say: is told what goes on.
        command: what the report says repeats it.

    Raises:
        SeemkitError: an unknown group, or an assembly that does not load.
    """
    for name in groups:
        if name not in GROUPS:
            raise SeemkitError(
                f"there is nothing to measure by the name {name!r}; there are {', '.join(GROUPS)}"
            )
    changes: dict[str, JsonValue] = {**_sizes(assembly, size), **(overrides or {})}
    say(f"loading {assembly}")
    chosen = _weights(assembly, changes) if weights == "auto" else weights
    with torch.random.fork_rng():
        torch.manual_seed(SEED)  # random weights are the same every time
        model = load(assembly, device=device, weights=chosen, overrides=changes or None)
    subject = Subject(
        model, make_photo(_photo(model, size)), repeats=repeats, count=count, say=say, asked=size
    )
    machine = look_at_machine(model.device)
    cases = [case for name in groups for case in load_group(name)(subject)]
    setting = Setting(
        assembly=model.assembly.name if model.assembly is not None else assembly,
        weights="random" if chosen is None else chosen,
        overrides={k: v if isinstance(v, str | int | float) else str(v) for k, v in changes.items()},
        size=subject.size,
        device=str(model.device),
        dtype=str(model.network.decoder.level_embed.dtype).removeprefix("torch."),
        repeats=repeats,
    )
    return Report(machine=machine, setting=setting, cases=cases, command=command)


def _sizes(assembly: str, size: int | None) -> dict[str, JsonValue]:
    """Overrides with which a photo of `size` pixels goes in as it is; none for a network of one size."""
    if size is None:
        return {}
    if size < 1:
        raise SeemkitError(f"size is {size}, expected pixels of a side, from 1 on", path="size")
    return {"preprocess.short": size, "preprocess.long": size}


def _weights(assembly: str, overrides: Mapping[str, JsonValue]) -> str | None:
    """ "default" if the weights of the assembly are here, else None."""
    path = load_assembly(assembly, dict(overrides) or None).weights_path()
    return "default" if path is not None and os.path.isfile(path) else None


def _photo(model: "Model", size: int | None) -> tuple[int, int]:
    """(H, W) of a square photo that goes in as it is, or of one that is resized as the assembly says."""
    if size is not None:
        return size, size
    side = model.preprocess.short or model.preprocess.long or 640
    return (side, side) if model.preprocess.fixed is None else model.preprocess.fixed

"""The bundled assembly with one component exchanged, which is what a trial tries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from seemkit.assembly import load_assembly
from seemkit.assembly.assembly import SLOTS
from seemkit.errors import SeemkitError
from seemkit.host import registry as host_registry
from seemkit.pipeline.build import build_network
from seemkit.sweep.jobs import is_out_of_memory
from seemkit_registry import RegistryError
from seemkit_registry.errors import ConfigurationError
from seemkit_registry.fault import describe_exception, one_line

if TYPE_CHECKING:
    from pydantic import JsonValue

    from seemkit.assembly import Assembly
    from seemkit.network.network import Network
    from seemkit.sweep.trial import Trial

__all__ = [
    "LARGEST",
    "REST",
    "build",
    "count_parameters",
    "declare",
    "exchange",
    "refusal",
    "tell_not_ran",
    "watch",
]

REST = "nano"
"""The assembly that the component is put into."""
LARGEST = 150_000_000
"""Parameters from which on a model is not run with numbers."""

T = TypeVar("T", bound="Trial")


def exchange(slot: str, component: str, model: str) -> Assembly:
    """The assembly with `model` of `component` in a slot.

    Raises:
        SeemkitError, RegistryError: the component refuses the name.
    """
    choice: dict[str, JsonValue] = {"use": component, "model": model}
    return load_assembly(REST, {slot: choice})


def declare(assembly: Assembly, slot: str) -> Any:
    """What the component of a slot declares; whatever it raises passes, unlike where a model is loaded.

    Raises:
        SeemkitError: it refuses its options.
    """
    choice = getattr(assembly, slot)
    found: Any = host_registry().load(host_registry().resolve(SLOTS[slot], choice.component))
    return found.declare(choice.settings)


def build(assembly: Assembly, device: str) -> Network:
    """The network with random weights, always the same, ready to run."""
    import torch

    torch.manual_seed(0)
    with torch.device(device), torch.no_grad():
        network, _, _ = build_network(assembly)
    return network.eval().to(device)


def count_parameters(part: object) -> int:
    """How many numbers a module learns."""
    from torch import nn

    assert isinstance(part, nn.Module)
    return sum(p.numel() for p in part.parameters())


def refusal(error: Exception) -> str:
    """The sentence of a refusal, on one line."""
    if isinstance(error, ConfigurationError):
        return one_line("; ".join(problem.message for problem in error.problems), 400)
    return one_line(str(error), 400)


def tell_not_ran(parameters: int, largest: int) -> str:
    """Why a model does not run with numbers."""
    return f"has {parameters / 1e6:.0f} M parameters, over {largest / 1e6:.0f} M"


def watch(steps: Callable[[], Iterator[T]], failed: Callable[[str], T]) -> Iterator[T]:
    """What the steps yield, with the seconds since the start; an error in them becomes a failed trial.

    Args:
        steps: yields trials, each saying more than the one before.
        failed: a trial that failed for a reason.

    Raises:
        MemoryError, RuntimeError: there is no memory left, which the process has to answer for.
    """
    start = time.perf_counter()

    def timed(trial: T) -> T:
        return trial.model_copy(update={"seconds": round(time.perf_counter() - start, 2)})

    try:
        for trial in steps():
            yield timed(trial)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        said = str(error) if isinstance(error, SeemkitError | RegistryError) else describe_exception(error)[0]
        yield timed(failed(one_line(said, 400)))

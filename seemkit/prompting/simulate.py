"""Asking a prompt type what a user would give, so that an error of its plugin is one sentence that names it."""

import numpy as np
from numpy.typing import NDArray

from seemkit.errors import SeemkitError
from seemkit.host import registry
from seemkit.prompting.prompt import Prompt
from seemkit_registry.fault import describe_exception

__all__ = ["SimulationError", "simulate"]


class SimulationError(SeemkitError):
    """The `simulate` of a prompt type raised; `path` is the name of the type."""


def simulate(
    kind: type[Prompt], mask: NDArray[np.bool_], rng: np.random.Generator, *, otherwise: str
) -> Prompt | None:
    """A prompt of a type that a user could give for an object, in its pixels; None if there is none.

    Args:
        kind: the type.
        mask: (H, W) the object.
        rng: of what is drawn.
        otherwise: how to go on without the type, for the sentence; ``{}`` stands for its name.

    Raises:
        SimulationError: the plugin of the type raised; the sentence names both, what it raised and the way out.
    """
    try:
        return kind.simulate(mask, rng)
    except Exception as error:  # of a plugin
        name = kind.type_name()
        provided, way_out = _provider(kind)
        raise SimulationError(
            f"simulate of the prompt type {name!r} of {provided} raised {describe_exception(error)[0]}; "
            f"{way_out}, or {otherwise.format(name)}",
            path=name,
        ) from error


def _provider(kind: type[Prompt]) -> tuple[str, str]:
    """The file or plugin that a type comes from, and what can be done about it."""
    for component, found in registry().load_all("prompts"):
        if found is kind:
            file = component.file if component.provided_by == "file" else None
            plugin = f"the plugin {component.distribution!r}" if file is None else repr(file.name)
            return plugin, component.way_out
    return f"the module {kind.__module__!r}", "correct its definition"

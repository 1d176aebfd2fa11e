"""Which types of prompts take part: every installed one that can be simulated, and the words of the data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from seemkit.evaluation.class_names import plain_name
from seemkit.prompting.prompt import Prompt, SpatialPrompt
from seemkit.prompting.read import prompt_type, prompt_types
from seemkit.prompting.simulate import SimulationError, simulate
from seemkit_registry import nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from seemkit.data.sample import SampleObject

__all__ = ["WORDS", "check_kinds", "give", "raise_first", "simulated", "simulated_kinds", "spatial_kinds"]

WORDS = "text"
"""The type that is given the words of the data set, since no mask can tell them."""


def spatial_kinds() -> dict[str, type[SpatialPrompt]]:
    """Spatial prompt types that can be simulated, by name."""
    return {n: kind for n, kind in simulated_kinds().items() if issubclass(kind, SpatialPrompt)}


def simulated_kinds() -> dict[str, type[Prompt]]:
    """Prompt types with a `simulate` of their own, by name."""
    return {n: kind for n, kind in _types().items() if _simulates(kind)}


def simulated(name: str, mask: NDArray[np.bool_], rng: np.random.Generator) -> Prompt | None:
    """A simulated prompt of a type for the mask (H, W); a SimulationError if its plugin raises."""
    return simulate(simulated_kinds()[name], mask, rng, otherwise="name the types to measure, without {!r}")


def give(name: str, each: SampleObject, rng: np.random.Generator) -> Prompt | None:
    """A prompt of a type for an object: simulated on its mask, or its phrase or class; None where there is none."""
    if name != WORDS:
        return simulated(name, each.read_mask(), rng)
    words = each.phrases[:1] or ((plain_name(each.name),) if each.name else ())
    return prompt_type(WORDS).model_validate({"text": words[0]}) if words else None


def raise_first(errors: Iterable[SimulationError]) -> None:
    """Raise the first of these, if there is one."""
    for error in errors:
        raise error


def check_kinds(names: Sequence[str], *, also: Sequence[str] = (), spatial: bool = False) -> tuple[str, ...]:
    """The names, if each is that of a type that can be simulated, or one of `also`; else a ValueError."""
    known = [*also, *(spatial_kinds() if spatial else simulated_kinds())]
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"no prompt type {name!r} can be simulated; {hint}")
    if not names:
        raise ValueError(f"it names no prompt type; there are {', '.join(known)}")
    return tuple(names)


def _types() -> Mapping[str, type[Prompt]]:
    return prompt_types()


def _simulates(kind: type[Prompt]) -> bool:
    return getattr(kind.simulate, "__func__", None) is not getattr(Prompt.simulate, "__func__", None)

"""Which types of prompts take part: every installed one that can be simulated."""

from collections.abc import Mapping, Sequence

from seemkit.prompting.prompt import Prompt, SpatialPrompt
from seemkit.prompting.read import prompt_types
from seemkit_registry import nearest

__all__ = ["check_kinds", "simulated_kinds", "spatial_kinds"]


def spatial_kinds() -> dict[str, type[SpatialPrompt]]:
    """Spatial prompt types that can be simulated, by name."""
    return {n: kind for n, kind in simulated_kinds().items() if issubclass(kind, SpatialPrompt)}


def simulated_kinds() -> dict[str, type[Prompt]]:
    """Prompt types with a `simulate` of their own, by name."""
    return {n: kind for n, kind in _types().items() if _simulates(kind)}


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

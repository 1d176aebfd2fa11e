"""The prompt types of all installed plugins, by class name: ``from seemkit.prompts import Point, Text``.

A name is resolved through the registry when it is asked for: it is the class behind the entry point of a
prompt component.
"""

from typing import TYPE_CHECKING

from seemkit.host import registry
from seemkit_registry import Component, RegistryError, nearest

if TYPE_CHECKING:
    from seemkit_prompts.audio import Audio as Audio
    from seemkit_prompts.boxes import Box as Box
    from seemkit_prompts.concept import Concept as Concept
    from seemkit_prompts.masks import Mask as Mask
    from seemkit_prompts.memory import Memory as Memory
    from seemkit_prompts.points import Point as Point
    from seemkit_prompts.polygons import Polygon as Polygon
    from seemkit_prompts.reference import Reference as Reference
    from seemkit_prompts.scribbles import Scribble as Scribble
    from seemkit_prompts.text import Text as Text


def __getattr__(name: str) -> object:
    if name == "__all__":
        registry().load_all("prompts")  # finds out which are at fault
        return sorted(name for name, found in _components().items() if len(found) == 1 and not found[0].fault)
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    provided = _components()
    found = provided.get(name, [])
    if not found:
        near = nearest(name, provided)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(provided))}"
        raise AttributeError(f"no installed plugin provides the prompt {name!r}; {hint}", name=name)
    if len(found) > 1:
        names = " and ".join(component.qualified for component in found)
        raise AttributeError(f"the prompt {name!r} is provided by {names}: prefer one of them", name=name)
    try:
        return registry().load(found[0])
    except RegistryError as error:
        raise AttributeError(f"the prompt {name!r} cannot be used: {error}", name=name) from error


def __dir__() -> list[str]:
    return sorted(_components())


def _components() -> dict[str, list[Component]]:
    """From class name to the components that provide it, after the registry's preferences."""
    found: dict[str, list[Component]] = {}
    for component in registry().active("prompts"):
        found.setdefault(component.attribute, []).append(component)
    return found

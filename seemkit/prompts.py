"""The prompt types of all installed plugins under their class names: ``from seemkit.prompts import Point, Text``.

A name is resolved through the registry when it is first asked for: it is the class behind the entry point of a
prompt component. Names that several distributions provide are left to ``seemkit_registry``.
"""

from typing import TYPE_CHECKING

from seemkit_registry import Component, RegistryError, default, nearest

if TYPE_CHECKING:
    from seemkit_prompts.boxes import Box as Box
    from seemkit_prompts.masks import Mask as Mask
    from seemkit_prompts.memory import Memory as Memory
    from seemkit_prompts.points import Point as Point
    from seemkit_prompts.polygons import Polygon as Polygon
    from seemkit_prompts.reference import Reference as Reference
    from seemkit_prompts.scribbles import Scribble as Scribble
    from seemkit_prompts.text import Text as Text


def __getattr__(name: str) -> object:
    if name == "__all__":
        return sorted(_components(usable=True))
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = _components()
    if name not in found:
        near = nearest(name, found)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(found))}"
        raise AttributeError(f"no installed plugin provides the prompt {name!r}; {hint}", name=name)
    try:
        return default().get("prompts", found[name])
    except RegistryError as error:
        raise AttributeError(f"the prompt {name!r} cannot be used: {error}", name=name) from error


def __dir__() -> list[str]:
    return sorted(_components())


def _components(*, usable: bool = False) -> dict[str, str]:
    """From class name to component: its bare name, so that the registry tells of conflicts and preferences."""
    registry = default()
    if usable:
        registry.load_all("prompts")
    found: dict[str, str] = {}
    for component in registry.active("prompts"):
        if not (usable and component.fault):
            found[_class_name(component)] = component.name
    return found


def _class_name(component: Component) -> str:
    return component.value.rpartition(":")[2].rpartition(".")[2]

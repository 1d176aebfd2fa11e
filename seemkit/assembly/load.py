"""Loads an assembly by name, from a YAML file or from plain data, and checks all of it at once."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue, TypeAdapter, ValidationError

from seemkit.assembly.assembly import Assembly
from seemkit.assembly.check import check
from seemkit.assembly.document import Document
from seemkit.assembly.inheritance import expand
from seemkit.assembly.overrides import override
from seemkit.assembly.shipped import Shipped
from seemkit.choice.wording import join
from seemkit.host import registry as host_registry
from seemkit_registry import Registry
from seemkit_registry.errors import ConfigurationError, Problem

__all__ = ["assembly_names", "load_assembly", "read_assembly"]

SHIPPED = Shipped("assemblies", "an assembly")
_PLAIN = TypeAdapter(dict[str, JsonValue])


def load_assembly(
    source: str | Path | Assembly | Mapping[str, JsonValue],
    overrides: Mapping[str, JsonValue] | None = None,
    registry: Registry | None = None,
) -> Assembly:
    """The assembly that `source` describes, every component imported and every option checked.

    Args:
        source: the name of a bundled assembly, the path of a ``.yaml`` or ``.yml`` file, plain data,
            or an assembly.
        overrides: dotted paths and values, such as ``{"backbone.model": "convnext_tiny"}``; a text is read as
            YAML.
        registry: by default that of the process, with what the host expects of each kind.

    Raises:
        UnknownComponent: no assembly has this name; with the nearest that has.
        ConfigurationError: everything that is wrong with it, each with its path and the nearest right name.
    """
    registry = registry or host_registry()
    document = read_assembly(source)
    return check(override(document, overrides) if overrides else document, registry)


def read_assembly(source: str | Path | Assembly | Mapping[str, JsonValue]) -> Document:
    """What `source` says, with what it extends under it; unchecked, and without importing a component.

    Raises:
        UnknownComponent: no assembly has this name; with the nearest that has.
        ConfigurationError: it cannot be read.
    """
    return expand(_open(source), SHIPPED.read)


def assembly_names() -> list[str]:
    """Names of the assemblies that seemkit brings, sorted."""
    return SHIPPED.names()


def _open(source: str | Path | Assembly | Mapping[str, JsonValue]) -> Document:
    if isinstance(source, Assembly):
        return Document(source.as_dict(), source.name, weights_folder=source._weights_folder)
    if isinstance(source, Mapping):
        return Document(_plain(source), "configuration", weights_folder=Path.cwd())
    return SHIPPED.open(source)


def _plain(source: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A copy of `source`, if it is plain data all the way down."""
    try:
        return _PLAIN.validate_python(dict(source), strict=True)
    except ValidationError as error:
        problems: list[Problem] = []
        for line in error.errors():
            path = ""
            for part in line["loc"]:
                path = join(path, part)
            kind = type(line["input"]).__name__
            problems.append(
                Problem(path, f"got a {kind}, expected plain data: texts, numbers, lists, mappings")
            )
        raise ConfigurationError(problems, source="configuration") from None

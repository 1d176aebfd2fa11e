"""Loads an assembly by name, from a YAML file or from plain data, and checks all of it at once."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from pydantic import JsonValue, TypeAdapter, ValidationError

from seemkit.assembly.assembly import Assembly
from seemkit.assembly.check import check
from seemkit.assembly.document import Document, read_file
from seemkit.assembly.inheritance import expand
from seemkit.assembly.overrides import override
from seemkit.choice.wording import join
from seemkit.host import registry as host_registry
from seemkit_registry import Registry, UnknownComponent, nearest
from seemkit_registry.errors import ConfigurationError, Problem

__all__ = ["assembly_names", "load_assembly", "read_assembly"]

_SUFFIXES = (".yaml", ".yml")
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
    return expand(_open(source), _read_bundled)


def assembly_names() -> list[str]:
    """Names of the assemblies that seemkit brings, sorted."""
    return sorted(_bundled())


def _open(source: str | Path | Assembly | Mapping[str, JsonValue]) -> Document:
    if isinstance(source, Assembly):
        return Document(source.as_dict(), source.name, weights_folder=source._weights_folder)
    if isinstance(source, Mapping):
        return Document(_plain(source), "configuration", weights_folder=Path.cwd())
    text = str(source)
    if isinstance(source, Path) or text.endswith(_SUFFIXES) or "/" in text or "\\" in text:
        path = Path(source)
        if path.suffix not in _SUFFIXES:
            problem = Problem("", "it is not an assembly: expected a file that ends in .yaml or .yml")
            raise ConfigurationError([problem], source=text)
        return _with_name(read_file(path), path.stem)
    return _read_bundled(text)


def _bundled() -> dict[str, Path]:
    folder = Path(str(resources.files("seemkit") / "assemblies"))
    return {file.stem: file for file in folder.glob("*.yaml")}


def _read_bundled(name: str, asked_by: str | None = None) -> Document:
    bundled = _bundled()
    if name in bundled:
        return _with_name(read_file(bundled[name], name), name)
    near = nearest(name, bundled)
    hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(sorted(bundled)) or 'none'}"
    message = f"no assembly is named {name!r}; {hint}"
    if asked_by is not None:
        raise ConfigurationError([Problem("extends", message, near[0] if near else None)], source=asked_by)
    raise UnknownComponent(message, kind="assemblies", name=name, suggestion=near[0] if near else None)


def _with_name(document: Document, name: str) -> Document:
    document.data.setdefault("name", name)
    return document


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

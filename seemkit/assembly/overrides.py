"""Dotted overrides such as ``backbone.model=convnext_tiny``, put on top of a configuration."""

import dataclasses
from collections.abc import Mapping

from pydantic import JsonValue

from seemkit.assembly.assembly import SLOTS
from seemkit.assembly.document import Document, parse_value
from seemkit.assembly.inheritance import merge
from seemkit_registry.errors import ConfigurationError, Problem

__all__ = ["override"]


def override(document: Document, overrides: Mapping[str, JsonValue]) -> Document:
    """`document` with `overrides` on top; a text is read as YAML, anything else is taken as it is.

    Overriding the component of a slot drops the options that the slot had.

    Raises:
        ConfigurationError: with every path that leads nowhere.
    """
    if not isinstance(overrides, Mapping) or not all(isinstance(path, str) for path in overrides):
        said = f"got {overrides!r}"[:80] + '; expected paths and values, as in {"backbone.model": "resnet18"}'
        raise ConfigurationError([Problem("overrides", said)], source=document.source)
    over: dict[str, JsonValue] = {}
    problems: list[Problem] = []
    for path in sorted(overrides):
        parts = path.split(".")
        value = overrides[path]
        if not all(parts) or parts[0] in ("extends", "seemkit"):
            problems.append(Problem(path, "it cannot be overridden; expected a path such as backbone.model"))
            continue
        try:
            parsed = parse_value(value, path) if isinstance(value, str) else value
        except ConfigurationError as error:
            problems += [Problem(path, problem.message) for problem in error.problems]
            continue
        wrong = _put(over, parts, parsed) or _not_inside(document.data, parts)
        if wrong:
            problems.append(Problem(path, wrong))
    if problems:
        raise ConfigurationError(problems, source=f"overrides of {document.source}")
    lines = {path: line for path, line in document.lines.items() if path not in overrides}
    return dataclasses.replace(document, data=merge(document.data, over), lines=lines)


def _put(over: dict[str, JsonValue], parts: list[str], value: JsonValue) -> str | None:
    """Enter `value` at `parts`; a sorted list of paths gives the shorter ones first."""
    inner = over
    for depth, part in enumerate(parts[:-1]):
        found = inner.setdefault(part, {})
        if depth == 0 and part in SLOTS and isinstance(found, str):
            found = inner[part] = {"use": found}
        if not isinstance(found, dict):
            return f"{'.'.join(parts[: depth + 1])} is overridden by a value that has no parts"
        inner = found
    inner[parts[-1]] = value
    return None


def _not_inside(data: dict[str, JsonValue], parts: list[str]) -> str | None:
    """Why `parts` cannot lead into `data`: only mappings, and slots in short form, have parts."""
    value: JsonValue = data
    for depth, part in enumerate(parts):
        if depth and isinstance(value, list):
            return f"{'.'.join(parts[:depth])} is a list; override it as a whole"
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return None

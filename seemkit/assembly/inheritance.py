"""What ``extends`` means: a configuration over another one, field by field."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue

from seemkit.assembly.assembly import SLOTS
from seemkit.assembly.document import Document, read_file
from seemkit.choice.relative_path import check_relative
from seemkit_registry.errors import ConfigurationError, Problem

__all__ = ["LONGEST", "expand", "merge"]

LONGEST = 8
"""Configurations in a chain."""

ByName = Callable[[str, str], Document]
"""Reads the bundled configuration of a name; the second argument is who asks."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def expand(document: Document, by_name: ByName) -> Document:
    """`document` with everything that it extends under it.

    A base is a bundled name or a YAML file below the folder of the first document. A slot that names another
    component than its base does not inherit the options; lists replace lists; null takes a field away.
    """
    root = document.file.resolve().parent if document.file else None
    chain, seen = [document], [_identity(document)]
    while (base := chain[-1].data.get("extends")) is not None:
        parent = _read_base(chain[-1], base, root, by_name)
        seen.append(_identity(parent))
        if seen[-1] in seen[:-1]:
            raise _refuse(
                document, f"it extends itself: {' -> '.join(link.source for link in [*chain, parent])}"
            )
        if len(seen) > LONGEST:
            raise _refuse(document, f"it extends a chain of more than {LONGEST} configurations")
        chain.append(parent)
    data: dict[str, JsonValue] = {}
    folder = None
    for link in reversed(chain):
        own = {key: value for key, value in link.data.items() if key != "extends"}
        inherited = {key: value for key, value in data.items() if key not in ("name", "summary")}
        data = merge(inherited, own)
        weights = own.get("weights")
        if isinstance(weights, dict) and "file" in weights:
            folder = link.weights_folder
    return dataclasses.replace(document, data=data, weights_folder=folder)


def merge(base: dict[str, JsonValue], over: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """`over` on top of `base`, both whole configurations."""
    merged = _deep_merge(base, over)
    for slot in SLOTS:
        if slot in base and slot in over:
            old, new = _long_form(base[slot]), _long_form(over[slot])
            if isinstance(old, dict) and isinstance(new, dict):
                same = "use" not in new or new["use"] == old.get("use")
                merged[slot] = _deep_merge(old, new) if same else new
    return merged


def _deep_merge(base: dict[str, JsonValue], over: dict[str, JsonValue]) -> dict[str, JsonValue]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _deep_merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _long_form(choice: JsonValue) -> JsonValue:
    return {"use": choice} if isinstance(choice, str) else choice


def _read_base(document: Document, base: JsonValue, root: Path | None, by_name: ByName) -> Document:
    if not isinstance(base, str):
        raise _refuse(document, f"got {base!r}, expected the name of an assembly or a YAML file")
    if not base.endswith((".yaml", ".yml")):
        if not _NAME.fullmatch(base):
            raise _refuse(document, f"{base!r} is neither the name of an assembly nor a relative YAML file")
        return by_name(base, document.source)
    if root is None or document.file is None:
        raise _refuse(document, f"{base!r} is a file, but only a file can extend a file")
    try:
        check_relative(base, (".yaml", ".yml"))
    except ValueError as error:
        raise _refuse(document, f"got {base!r}, {error}") from None
    path = document.file.parent / base
    if not path.resolve().is_relative_to(root):
        raise _refuse(document, f"{base!r} leads out of the folder {str(root)!r}")
    if not path.is_file():
        raise _refuse(document, f"there is no file {str(path)!r}")
    return read_file(path)


def _identity(document: Document) -> str:
    return str(document.file.resolve()) if document.file else f"in memory: {document.source}"


def _refuse(document: Document, message: str) -> ConfigurationError:
    problem = Problem("extends", message, line=document.lines.get("extends"))
    return ConfigurationError([problem], source=document.source)

"""What `seemkit info` says of an assembly: what its file says, without importing the components it names."""

from typing import TYPE_CHECKING

from seemkit.assembly.assembly import SLOTS
from seemkit.assembly.load import read_assembly
from seemkit.assembly.published import published_weights

if TYPE_CHECKING:
    from pydantic import JsonValue

    from seemkit.assembly.document import Document

__all__ = ["describe_assembly"]


def describe_assembly(name: str) -> "dict[str, JsonValue]":
    """An assembly by name or file as plain data.

    Raises:
        seemkit_registry.RegistryError: there is none of that name, or the file cannot be read.
    """
    document = read_assembly(name)
    data = document.data
    vocabulary = data.get("vocabulary")
    names = vocabulary.get("names") if isinstance(vocabulary, dict) else vocabulary
    return {
        "assembly": data.get("name", name),
        "summary": data.get("summary", ""),
        "file": str(document.file) if document.file is not None else None,
        "slots": {slot: _choice(data.get(slot)) for slot in SLOTS if slot in data},
        "hooks": [_choice(hook) for hook in _listed(data.get("hooks"))],
        "prompts": data.get("prompts", "all"),
        "preprocess": data.get("preprocess", {}),
        "vocabulary": len(names) if isinstance(names, list) else None,
        "weights": _weights(document),
        "use": f"-m {name}",
    }


def _listed(given: "JsonValue") -> "list[JsonValue]":
    return given if isinstance(given, list) else []


def _choice(given: "JsonValue") -> "JsonValue":
    return {"use": given} if isinstance(given, str) else given


def _weights(document: "Document") -> "dict[str, JsonValue] | None":
    """The weights that are named, where they are and how large; None if it names none."""
    named = document.data.get("weights")
    if not isinstance(named, dict):
        return None
    path = published_weights(document)
    if path is None and isinstance(named.get("file"), str) and document.weights_folder is not None:
        path = document.weights_folder / str(named["file"])
    if path is None:
        return None
    return {**named, "path": str(path), "bytes": path.stat().st_size if path.is_file() else None}

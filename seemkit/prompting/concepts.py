"""Field type for the file of a concept: a path, or the concept itself, which travels by its hash."""

from collections.abc import Mapping
from os import PathLike, fspath
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

if TYPE_CHECKING:
    from seemkit.concept_file import ConceptFile

    ConceptSource: TypeAlias = str | PathLike[str] | ConceptFile
from seemkit.prompting.handed_over import take_asset

__all__ = ["ConceptSource", "open_concept"]


def open_concept(source: object) -> "ConceptFile":
    """The concept at a path; a concept is given back as it is.

    Raises:
        ConceptError: there is no such file, or it is no concept.
    """
    from seemkit.concept_file import ConceptFile

    return source if isinstance(source, ConceptFile) else ConceptFile.load(str(source))


def _read_source(value: object, info: ValidationInfo) -> object:
    from seemkit.concept_file import ConceptFile

    if isinstance(value, ConceptFile):
        return value
    if isinstance(value, Mapping):
        return _read_asset(value, (info.context or {}).get("assets") or {})
    if isinstance(value, str | PathLike):
        path = fspath(value)
        if isinstance(path, str) and path.strip():
            return path
    raise ValueError("expected the path of a concept file, or a concept")


def _read_asset(value: Mapping[str, Any], assets: Mapping[str, object]) -> object:
    from seemkit.concept_file import ConceptFile

    name = value.get("concept")
    if not isinstance(name, str):
        raise ValueError('expected a path, or {"concept": hash} of a concept that is handed over')
    return take_asset(
        assets, name, "concept", lambda x: x.fingerprint if isinstance(x, ConceptFile) else None
    )


def _write_source(value: object) -> str | dict[str, Any]:
    return value if isinstance(value, str) else {"concept": getattr(value, "fingerprint", None)}


if not TYPE_CHECKING:
    ConceptSource = Annotated[
        object,
        BeforeValidator(_read_source),
        PlainSerializer(_write_source, return_type=str | dict),
        WithJsonSchema(
            {
                "description": "the path of a concept file, or the hash of a concept that is handed over",
                "anyOf": [
                    {"type": "string", "minLength": 1},
                    {
                        "type": "object",
                        "properties": {"concept": {"type": "string"}},
                        "required": ["concept"],
                    },
                ],
            }
        ),
    ]

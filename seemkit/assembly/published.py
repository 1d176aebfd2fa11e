"""The weights of an unchecked configuration that names a published file, without importing its components."""

from pathlib import Path

from pydantic import ValidationError

from seemkit.assembly.assembly import Assembly
from seemkit.assembly.document import Document
from seemkit.assembly.load import assembly_names
from seemkit.assembly.sections import WeightsSection
from seemkit.cache import converted_path

__all__ = ["name_for_commands", "published_weights"]


def published_weights(document: Document) -> Path | None:
    """Where the weights that are made of the published file are, or should be.

    None if the configuration names a file of its own or none at all, or names it wrongly, which is for
    :func:`seemkit.assembly.load_assembly` to say.
    """
    try:
        section = WeightsSection.model_validate(document.data.get("weights"))
    except ValidationError:
        return None
    if section.file is not None or section.published is None:
        return None
    return converted_path(section.published.repo, section.published.file, section.published.revision)


def name_for_commands(assembly: Assembly) -> str:
    """What a command line calls an assembly: its name if it is a shipped one, else that of some file."""
    return assembly.name if assembly.name in assembly_names() else "FILE.yaml"

"""Vocabularies in files: a name a line, or the fields of a vocabulary as JSON or YAML."""

from __future__ import annotations

import json
import os
from pathlib import Path

from seemkit.assembly.document import parse_value
from seemkit.errors import VocabularyError
from seemkit.vocabulary import Vocabulary, as_vocabulary
from seemkit_registry import ConfigurationError
from seemkit_registry.suggestion import nearest

__all__ = ["SUFFIXES", "read_vocabulary"]

SUFFIXES = (".txt", ".json", ".yaml", ".yml")
BIGGEST = 8_000_000
"""Bytes of a file."""


def read_vocabulary(path: str | os.PathLike[str]) -> Vocabulary:
    """The vocabulary in a file, by its suffix.

    ``.txt`` has a name on each line, and behind it, after commas, its synonyms; lines that begin with ``#``
    and empty ones do not count. ``.json``, ``.yaml`` and ``.yml`` hold a list of names, or a mapping of the
    fields of a :class:`seemkit.Vocabulary`: ``names``, ``synonyms``, ``templates``, ``background``.

    Raises:
        VocabularyError: there is no such file, or it holds no vocabulary; the sentence names the file.
    """
    source = Path(path)
    if source.suffix.lower() not in SUFFIXES:
        raise _refuse(source, f"is named as no vocabulary; expected {', '.join(SUFFIXES)}")
    text = _read(source)
    try:
        if source.suffix.lower() == ".txt":
            return _read_lines(text)
        return as_vocabulary(_read_data(source, text))
    except VocabularyError as error:
        raise VocabularyError(
            f"{str(source)!r}: {error}", path=error.path, suggestion=error.suggestion
        ) from error


def _read(source: Path) -> str:
    if not source.is_file():
        near = (
            nearest(source.name, (f.name for f in source.parent.iterdir())) if source.parent.is_dir() else []
        )
        found = str(source.with_name(near[0])) if near else None
        hint = f"; did you mean {found!r}?" if found else ""
        raise VocabularyError(
            f"there is no vocabulary file {str(source)!r}{hint}", path="vocabulary", suggestion=found
        )
    try:
        if source.stat().st_size > BIGGEST:
            raise _refuse(source, f"is larger than {BIGGEST // 10**6} MB")
        return source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _refuse(source, "is not UTF-8 text") from None
    except OSError as error:
        raise _refuse(source, f"cannot be read: {error.strerror}") from error


def _read_lines(text: str) -> Vocabulary:
    names, synonyms = [], {}
    for line in text.splitlines():
        words = [word.strip() for word in line.split(",")]
        if line.lstrip().startswith("#") or not any(words):
            continue
        names.append(words[0])
        if others := [word for word in words[1:] if word]:
            synonyms[words[0]] = others
    return Vocabulary(names, synonyms=synonyms)


def _read_data(source: Path, text: str) -> object:
    if source.suffix.lower() == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise VocabularyError(f"it is not JSON that can be read ({error})", path="vocabulary") from None
    try:
        return parse_value(text, str(source))
    except ConfigurationError as error:
        raise VocabularyError(error.problems[0].message, path="vocabulary") from None


def _refuse(source: Path, why: str) -> VocabularyError:
    return VocabularyError(f"the vocabulary file {str(source)!r} {why}", path="vocabulary")

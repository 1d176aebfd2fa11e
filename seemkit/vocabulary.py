"""A vocabulary as a value: names, what else they are called, the sentences they stand in, and the background."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, overload

from seemkit.errors import VocabularyError
from seemkit_registry.suggestion import nearest

__all__ = ["BACKGROUND", "LARGEST", "Vocabulary", "as_vocabulary", "check_vocabulary"]

BACKGROUND = "background"
"""The name whose embedding stands for "no object" (SEEM's last class)."""
LARGEST = 20_000
"""Names of a vocabulary, and words of all its names."""
SLOT = "{}"
"""Where a template has the word."""
FIELDS = ("names", "synonyms", "templates", "background")


@dataclass(frozen=True, init=False)
class Vocabulary(Sequence[str]):
    """Names that labels are chosen from; wherever a list of names is taken, it is taken too.

    As a sequence it is its names, in the order given. A name is as likely as the likeliest of its words: itself
    and its synonyms (the largest logit, as Ghiasi et al., OpenSeg, ECCV 2022, take it). A word is encoded in each
    template, and the mean of what comes of them is its embedding.

    Attributes:
        names: stripped, duplicates dropped.
        synonyms: other words for a name, by name; names without any are left out.
        templates: sentences with ``{}`` for the word; None takes those of the text encoder, or the bare word.
        background: words for what is none of the names, which `everything` weighs against them.

    Raises:
        VocabularyError: a field is something else, in one sentence.

    Example:
        >>> Vocabulary(["cat", "sofa"], synonyms={"sofa": ["couch"]})[1]
        'sofa'
    """

    names: tuple[str, ...]
    synonyms: Mapping[str, tuple[str, ...]]
    templates: tuple[str, ...] | None
    background: tuple[str, ...]

    def __init__(
        self,
        names: Iterable[str],
        *,
        synonyms: Mapping[str, Iterable[str]] | None = None,
        templates: Iterable[str] | None = None,
        background: str | Iterable[str] = BACKGROUND,
    ) -> None:
        checked = check_vocabulary(names)
        given = [background] if isinstance(background, str) else background
        object.__setattr__(self, "names", checked)
        object.__setattr__(self, "synonyms", MappingProxyType(_check_synonyms(synonyms or {}, checked)))
        object.__setattr__(self, "templates", None if templates is None else _check_templates(templates))
        object.__setattr__(self, "background", _check_words(given, "vocabulary.background"))
        words = sum(len(self.words(name)) for name in checked)
        if words > LARGEST:
            raise VocabularyError(
                f"the vocabulary has {words} words; at most {LARGEST} are taken", path="vocabulary"
            )

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self.names[index]

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __hash__(self) -> int:
        return hash((self.names, self.content_key()))

    def __reduce__(self) -> tuple[Any, ...]:
        return as_vocabulary, (self.to_dict(),)

    def words(self, name: str) -> tuple[str, ...]:
        """A name and its synonyms."""
        return (name, *self.synonyms.get(name, ()))

    @property
    def is_plain(self) -> bool:
        """Whether it says no more than a list of names does."""
        return self == Vocabulary(self.names)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `as_vocabulary` reads back; what is left at its default is left out."""
        data: dict[str, Any] = {"names": list(self.names)}
        if self.synonyms:
            data["synonyms"] = {name: list(words) for name, words in self.synonyms.items()}
        if self.templates is not None:
            data["templates"] = list(self.templates)
        if self.background != (BACKGROUND,):
            data["background"] = list(self.background)
        return data

    def content_key(self) -> str:
        """SHA-256 of what its embeddings depend on beside the text encoder; order does not count."""
        data: dict[str, Any] = {
            "words": sorted(sorted(self.words(name)) for name in self.names),
            "templates": None if self.templates is None else sorted(self.templates),
            "background": sorted(self.background),
        }
        return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def as_vocabulary(given: object) -> Vocabulary:
    """The vocabulary of names, of a mapping of the fields of one, or itself.

    Raises:
        VocabularyError: it is none of these; the sentence says which entry is wrong.
    """
    if isinstance(given, Vocabulary):
        return given
    if not isinstance(given, Mapping):
        return Vocabulary(check_vocabulary(given))
    for field in given:
        if field not in FIELDS:
            near = nearest(str(field), FIELDS)
            hint = f"did you mean {near[0]!r}?" if near else f"its fields are {', '.join(FIELDS)}"
            raise VocabularyError(
                f"a vocabulary has no field {field!r}; {hint}",
                path=f"vocabulary.{field}",
                suggestion=near[0] if near else None,
            )
    background = given.get("background")
    return Vocabulary(
        given.get("names", ()),
        synonyms=given.get("synonyms"),
        templates=given.get("templates"),
        background=BACKGROUND if background is None else background,
    )


def check_vocabulary(names: object) -> tuple[str, ...]:
    """The names, stripped, in order, duplicates dropped.

    Raises:
        VocabularyError: it is one string, empty, too large or holds something that is not a name.
    """
    if isinstance(names, Vocabulary):
        return names.names
    if isinstance(names, str | bytes | Mapping) or not isinstance(names, Iterable):
        given = f"the one text {names[:40]!r}" if isinstance(names, str) else f"a {type(names).__name__}"
        raise VocabularyError(
            f"vocabulary is {given}; give a list of names, such as ['dog', 'cat']", path="vocabulary"
        )
    clean = dict.fromkeys(_check_word(name, f"vocabulary[{index}]") for index, name in enumerate(names))
    if not clean:
        raise VocabularyError(
            "the vocabulary is empty; give at least one name, such as ['dog']", path="vocabulary"
        )
    if len(clean) > LARGEST:
        message = f"the vocabulary has {len(clean)} names; at most {LARGEST} are taken"
        raise VocabularyError(message, path="vocabulary")
    return tuple(clean)


def _check_word(word: object, path: str) -> str:
    if not isinstance(word, str) or not word.strip():
        raise VocabularyError(f"{path} is {word!r}, not a name", path=path)
    return word.strip()


def _check_words(words: object, path: str) -> tuple[str, ...]:
    if isinstance(words, str | bytes | Mapping) or not isinstance(words, Iterable):
        raise VocabularyError(f"{path} is {words!r}, expected a list of words", path=path)
    clean = dict.fromkeys(_check_word(word, f"{path}[{index}]") for index, word in enumerate(words))
    if not clean:
        raise VocabularyError(f"{path} is empty, expected a word at least", path=path)
    return tuple(clean)


def _check_synonyms(synonyms: object, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    path = "vocabulary.synonyms"
    if not isinstance(synonyms, Mapping):
        raise VocabularyError(
            f"{path} is {synonyms!r}, expected words by name, such as {{'sofa': ['couch']}}", path=path
        )
    known, owner, clean = set(names), dict[str, str](), dict[str, tuple[str, ...]]()
    for given, words in synonyms.items():
        name = str(given).strip()
        if name not in known:
            near = nearest(name, names)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise VocabularyError(
                f"{path} has {name!r}, which is no name of the vocabulary{hint}",
                path=f"{path}.{name}",
                suggestion=near[0] if near else None,
            )
        own = tuple(word for word in _check_words(words, f"{path}.{name}") if word != name)
        for word in own:
            other = word if word in known else owner.get(word)
            if other is not None:
                raise VocabularyError(
                    f"{path}.{name} has {word!r}, which is a word for {other!r} already",
                    path=f"{path}.{name}",
                )
            owner[word] = name
        if own:
            clean[name] = own
    return clean


def _check_templates(templates: object) -> tuple[str, ...]:
    clean = _check_words(templates, "vocabulary.templates")
    for index, template in enumerate(clean):
        if template.count(SLOT) != 1:
            path = f"vocabulary.templates[{index}]"
            raise VocabularyError(
                f"{path} is {template!r}, expected a sentence with {SLOT} once, such as 'a photo of a {SLOT}.'",
                path=path,
            )
    return clean

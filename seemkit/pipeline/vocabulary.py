"""Vocabularies: class names given at the call, as normalised embeddings, cached by content."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from seemkit.errors import VocabularyError
from seemkit_registry import nearest

if TYPE_CHECKING:
    from seemkit.network.network import Network

__all__ = ["BACKGROUND", "check_vocabulary", "embed_vocabulary", "find_names"]

BACKGROUND = "background"
"""The name whose embedding stands for "no object" (SEEM's last class)."""
LARGEST = 20_000


def check_vocabulary(names: Sequence[str]) -> tuple[str, ...]:
    """The names, stripped, in order, duplicates dropped.

    Raises:
        VocabularyError: it is one string, empty, too large or holds something that is not a name.
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        given = f"the one text {names[:40]!r}" if isinstance(names, str) else f"a {type(names).__name__}"
        raise VocabularyError(
            f"vocabulary is {given}; give a list of names, such as ['dog', 'cat']", path="vocabulary"
        )
    clean: dict[str, None] = {}
    for index, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise VocabularyError(f"vocabulary[{index}] is {name!r}, not a name", path=f"vocabulary[{index}]")
        clean[name.strip()] = None
    if not clean:
        raise VocabularyError(
            "the vocabulary is empty; give at least one name, such as ['dog']", path="vocabulary"
        )
    if len(clean) > LARGEST:
        message = f"the vocabulary has {len(clean)} names; at most {LARGEST} are taken"
        raise VocabularyError(message, path="vocabulary")
    return tuple(clean)


def embed_vocabulary(network: "Network", names: Sequence[str]) -> Tensor:
    """Names to (K, D): each template is encoded and normalised, their mean normalised again.

    A text encoder declares its sentences in `templates`; without any, the bare name is encoded.
    """
    templates: Sequence[str] = getattr(network.text_encoder, "templates", ("{}",))
    sentences = [template.format(name) for name in names for template in templates]
    embeddings = torch.stack([phrase.embedding for phrase in network.encode_texts(sentences)])
    each = nn.functional.normalize(embeddings, dim=-1).view(len(names), len(templates), -1)
    return nn.functional.normalize(each.mean(1), dim=-1)


def find_names(stuff: Sequence[str], names: Sequence[str]) -> frozenset[int]:
    """Indices of the names that are not countable."""
    wanted = check_vocabulary(stuff) if stuff else ()
    for name in wanted:
        if name not in names:
            near = nearest(name, names)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise VocabularyError(
                f"stuff names {name!r}, which the vocabulary does not have{hint}", path="stuff"
            )
    return frozenset(names.index(name) for name in wanted)

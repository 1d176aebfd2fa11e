"""Embeddings of vocabularies, kept in memory and on disk by content, and how like a name an object is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from seemkit.errors import VocabularyError
from seemkit.network.transfer import send
from seemkit.pipeline.device_cache import DeviceCache
from seemkit.pipeline.fingerprint import weights_version
from seemkit.pipeline.vocabulary_store import VocabularyStore
from seemkit.vocabulary import BACKGROUND, SLOT, Vocabulary, as_vocabulary, check_vocabulary
from seemkit_registry import nearest

if TYPE_CHECKING:
    from seemkit.network.network import Network

__all__ = [
    "BACKGROUND",
    "NameEmbeddings",
    "Vocabularies",
    "check_vocabulary",
    "embed_vocabulary",
    "find_names",
    "name_logits",
]


@dataclass(frozen=True, eq=False)
class NameEmbeddings:
    """The words of K names.

    Attributes:
        words: (W, D) normalised.
        owners: (W,) which name each is a word for, from 0 to K - 1.
        count: K.
    """

    words: Tensor
    owners: Tensor
    count: int


class Vocabularies:
    """What the text encoder of a network makes of vocabularies, made once and kept until the weights change.

    Args:
        network: with the text encoder.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept: DeviceCache[dict[str, Tensor]] = DeviceCache(32)
        self._store = VocabularyStore()

    def embed(self, names: Sequence[str], *, background: bool = False) -> Tensor | NameEmbeddings:
        """Names, and with `background` what is none of them as the last: (K, D), or words where there are more.

        The bits of a name do not depend on the order of names.
        """
        vocabulary = as_vocabulary(names)
        key = (vocabulary.content_key(), weights_version(self._network.text_encoder))
        with torch.no_grad():
            rows = self._kept.get(key, lambda: self._store.get(self._network, vocabulary, self._make))
        groups = [vocabulary.words(name) for name in vocabulary]
        if background:
            groups.append(vocabulary.background)
        words = torch.stack([rows[word] for group in groups for word in group])
        if all(len(group) == 1 for group in groups):
            return words
        owners = [index for index, group in enumerate(groups) for _ in group]
        return NameEmbeddings(words, send(torch.tensor(owners), words.device), len(groups))

    def _make(self, vocabulary: Vocabulary) -> dict[str, Tensor]:
        """Embedding (D,) by word; the words in an order of their own, so that theirs does not matter."""
        words = sorted({w for name in vocabulary for w in vocabulary.words(name)} | {*vocabulary.background})
        return dict(zip(words, embed_vocabulary(self._network, words, vocabulary.templates), strict=True))


def embed_vocabulary(
    network: Network, names: Sequence[str], templates: Sequence[str] | None = None
) -> Tensor:
    """Names to (K, D): each template is encoded and normalised, their mean normalised again.

    A text encoder may declare its sentences in `templates`; without any, the bare name is encoded.
    """
    used = sentences_of(network, templates)
    sentences = [template.replace(SLOT, name) for name in names for template in used]
    each = nn.functional.normalize(network.embed_texts(sentences), dim=-1).view(len(names), len(used), -1)
    return nn.functional.normalize(each.mean(1), dim=-1)


def sentences_of(network: Network, templates: Sequence[str] | None) -> Sequence[str]:
    """The templates that a vocabulary is encoded with, sorted: its own, or those of the text encoder."""
    declared: Sequence[str] = getattr(network.text_encoder, "templates", (SLOT,))
    return sorted(templates or declared)


def name_logits(network: Network, states: Tensor, embeddings: Tensor | NameEmbeddings) -> Tensor:
    """Class embeddings (..., D) to logits (..., K): a name's are the largest of its words'."""
    if isinstance(embeddings, Tensor):
        return network.class_logits(states, embeddings)
    by_word = network.class_logits(states, embeddings.words)  # ... x W
    out = by_word.new_full((*by_word.shape[:-1], embeddings.count), -torch.inf)
    return out.scatter_reduce(-1, embeddings.owners.expand_as(by_word), by_word, "amax")


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

"""Embeddings of vocabularies on disk, by content: the text encoder's weights, the words and the templates."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from seemkit.cache import cache_folder
from seemkit.errors import SeemkitError
from seemkit.pipeline.caches import Cache
from seemkit.pipeline.fingerprint import hash_tensors, weights_version
from seemkit.results.atomic import replacing

if TYPE_CHECKING:
    from torch import Tensor

    from seemkit.network.network import Network
    from seemkit.vocabulary import Vocabulary

__all__ = ["VocabularyStore"]

FORMAT = "seemkit-vocabulary-1"
WEIGHTS = 1_000_000
"""Parameters from which on a text encoder is slow enough to keep what it gives."""
SENTENCES = 32
"""Sentences from which on encoding them takes longer than a hash of the weights."""
MOST = 256_000_000
"""Bytes of all files; beyond it those go that were read longest ago."""


class VocabularyStore:
    """The folder ``vocabularies`` of seemkit's cache.

    Whatever is wrong with the folder or a file in it, embeddings are computed as if it was not there: a damaged
    file is written anew, and a folder that cannot be written keeps nothing.
    """

    def __init__(self) -> None:
        self._fingerprints: Cache[str] = Cache(2)

    def get(
        self, network: Network, vocabulary: Vocabulary, make: Callable[[Vocabulary], dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """Embedding (D,) by word, from the disk, or made and kept there if that is worth it."""
        if not is_worth_keeping(network, vocabulary):
            return make(vocabulary)
        path = cache_folder() / "vocabularies" / f"{self._key(network, vocabulary)}.safetensors"
        like = next(network.text_encoder.parameters())
        found = _read(path, network.dims.text)
        if found is None:
            made = make(vocabulary)
            _write(path, made)
            return made
        return {word: row.to(like) for word, row in found.items()}

    def _key(self, network: Network, vocabulary: Vocabulary) -> str:
        """SHA-256 of everything that its bits depend on."""
        encoder = network.text_encoder
        like = next(encoder.parameters())
        about = {
            "format": FORMAT,
            "encoder": self._fingerprints.get(weights_version(encoder), lambda: hash_tensors(encoder)),
            "kind": f"{type(encoder).__module__}.{type(encoder).__qualname__}",
            "declared": sorted(getattr(encoder, "templates", ())),
            "vocabulary": vocabulary.content_key(),
            "torch": torch.__version__,
            "device": str(like.device.type),
            "dtype": str(like.dtype),
            "threads": torch.get_num_threads() if like.device.type == "cpu" else None,
        }
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def is_worth_keeping(network: Network, vocabulary: Vocabulary) -> bool:
    """Whether reading a file is quicker than encoding: not for a small encoder, nor for a few sentences."""
    declared: Sequence[str] = getattr(network.text_encoder, "templates", ("{}",))
    templates = vocabulary.templates or declared
    words = sum(len(vocabulary.words(name)) for name in vocabulary) + len(vocabulary.background)
    if words * len(templates) < SENTENCES:
        return False
    return sum(p.numel() for p in network.text_encoder.parameters()) >= WEIGHTS


def _read(path: Path, width: int) -> dict[str, Tensor] | None:
    """What a file holds; None if it is not there, or not what it should be."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            words = json.loads((file.metadata() or {})["words"])
            rows, checksum = file.get_tensor("rows"), (file.metadata() or {})["sha256"]
    except (SafetensorError, OSError, KeyError, ValueError):
        return None
    if rows.ndim != 2 or rows.shape != (len(words), width) or _checksum(rows) != checksum:
        return None
    with suppress(OSError):
        os.utime(path)
    return dict(zip(words, rows.unbind(0), strict=True))


def _write(path: Path, made: Mapping[str, Tensor]) -> None:
    from safetensors.torch import save

    rows = torch.stack(list(made.values())).detach().cpu().contiguous()
    about = {"format": FORMAT, "words": json.dumps(list(made)), "sha256": _checksum(rows)}
    with suppress(OSError, SeemkitError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(save({"rows": rows}, metadata=about))
        _make_room(path)


def _checksum(rows: Tensor) -> str:
    return hashlib.sha256(rows.contiguous().view(torch.uint8).numpy().tobytes()).hexdigest()


def _make_room(newest: Path) -> None:
    """Remove the files that were read longest ago until the rest fits."""
    files = sorted(newest.parent.glob("*.safetensors"), key=lambda file: file.stat().st_mtime, reverse=True)
    total = 0
    for file in files:
        total += file.stat().st_size
        if total > MOST and file != newest:
            file.unlink(missing_ok=True)

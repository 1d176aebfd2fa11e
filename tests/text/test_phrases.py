"""Batching of texts: each once, by length, padding cut; on a stand-in whose states tell what was run."""

import torch
from torch import Tensor

from seemkit_text.phrases import BATCH, encode_phrases

END = 9


def tokenize(texts: list[str]) -> Tensor:
    """One id a letter, an end, zeros up to 40."""
    ids = torch.zeros(len(texts), 40, dtype=torch.long)
    for k, text in enumerate(texts):
        ids[k, : len(text)] = 1
        ids[k, len(text)] = END
    return ids


class Recorder:
    """States (B, T, 1) that count positions; keeps the shapes it was run with."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, ids: Tensor) -> Tensor:
        self.shapes.append(tuple(ids.shape))
        return torch.arange(ids.shape[1], dtype=torch.float).expand(len(ids), -1)[..., None]


def test_repeated_texts_are_run_once() -> None:
    states = Recorder()
    phrases = encode_phrases(["aa", "b", "aa", "b"], tokenize, states)
    assert states.shapes == [(2, 3)]
    assert [phrase.embedding.item() for phrase in phrases] == [2, 1, 2, 1]


def test_batches_are_of_like_length_and_no_longer_than_their_longest() -> None:
    states = Recorder()
    texts = ["a" * (1 + k % 30) + "b" * (k // 30) for k in range(2 * BATCH)]
    phrases = encode_phrases(texts, tokenize, states)
    assert [shape[0] for shape in states.shapes] == [BATCH, BATCH]
    assert states.shapes[0][1] < states.shapes[1][1] == 1 + max(map(len, texts))
    assert [len(phrase.tokens) for phrase in phrases] == [len(text) + 1 for text in texts]


def test_a_tower_that_reads_padding_gets_it() -> None:
    states = Recorder()
    encode_phrases(["a"], tokenize, states, cut=False)
    assert states.shapes == [(1, 40)]


def test_a_phrase_does_not_keep_its_batch_alive() -> None:
    phrases = encode_phrases(["a", "bb"], tokenize, Recorder())
    assert phrases[0].tokens.untyped_storage().nbytes() == 4 * 2
    assert phrases[0].embedding.untyped_storage().nbytes() == 4

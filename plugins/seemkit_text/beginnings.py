"""Sentences that begin alike, through a causal transformer: each beginning once, padding never.

What a causal transformer makes of a token depends on the tokens before it only. So the keys and values of
"a bad photo of a" serve every sentence that begins so, and only what follows is computed for each of them.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from seemkit_text.text_transformer import Past, TextTransformer

__all__ = ["last_states", "share_beginnings"]

Sentence = tuple[int, ...]
Row = TypeVar("Row")

LEAST = 4
"""So many sentences have to begin alike for their beginning to be computed apart."""
AT_ONCE = 4096
"""Sentences whose beginnings are kept at once."""
TOKENS = 512
"""Tokens of a batch, padding included; on a CPU larger ones gain nothing."""


def last_states(sentences: Sequence[Sentence], transformer: TextTransformer, device: torch.device) -> Tensor:
    """(N, C) normalised states of the last tokens of N sentences, all different."""
    order = sorted(range(len(sentences)), key=lambda k: sentences[k])  # those that begin alike are neighbours
    states: list[Tensor] = []
    for start in range(0, len(order), AT_ONCE):
        some = [sentences[k] for k in order[start : start + AT_ONCE]]
        states.append(_states_of(some, transformer, device))
    place = torch.empty(len(order), dtype=torch.long)
    place[torch.tensor(order)] = torch.arange(len(order))
    return torch.cat(states)[place.to(device)]


def share_beginnings(sentences: Sequence[Sentence], least: int = LEAST) -> list[tuple[int, list[int]]]:
    """Groups of sentences that begin alike: how many tokens they share, and which sentences they are.

    Each sentence is in one group, that of its longest beginning which at least `least` sentences share; the last
    token is never part of it. What is left over shares nothing.
    """
    groups: list[tuple[int, list[int]]] = []
    waiting = [(0, list(range(len(sentences))))]
    while waiting:
        depth, members = waiting.pop()
        following: dict[int, list[int]] = {}
        for k in members:
            following.setdefault(sentences[k][depth], []).append(k)
        rest: list[int] = []
        for same in following.values():
            if len(same) >= least and all(len(sentences[k]) > depth + 1 for k in same):
                waiting.append((depth + 1, same))
            else:
                rest += same
        if rest:
            groups.append((depth, sorted(rest)))
    return groups


def _states_of(sentences: Sequence[Sentence], transformer: TextTransformer, device: torch.device) -> Tensor:
    groups = sorted(share_beginnings(sentences))
    past = _begin([sentences[members[0]][:depth] for depth, members in groups], transformer, device)
    rows = [(k, which, depth) for which, (depth, members) in enumerate(groups) for k in members]
    rows.sort(key=lambda row: (len(sentences[row[0]]) - row[2], row[2]))  # alike in length: little padding
    states = transformer.positional_embedding.new_empty(
        len(sentences), transformer.positional_embedding.shape[1]
    )
    for batch in _batches(rows, [len(sentences[k]) - depth for k, _, depth in rows]):
        places = [k for k, _, _ in batch]
        own = [sentences[k][depth:] for k, _, depth in batch]
        which, begun = (torch.tensor(x, device=device) for x in zip(*(row[1:] for row in batch), strict=True))
        longest = int(begun.max())
        near = [(keys[:, :, :longest], values[:, :, :longest]) for keys, values in past]
        out = transformer.go_on(_pad(own, device), begun, near, which)
        last = torch.tensor([len(x) - 1 for x in own], device=device)
        states[places] = out[torch.arange(len(own), device=device), last].to(states)
    return states


def _begin(beginnings: Sequence[Sentence], transformer: TextTransformer, device: torch.device) -> list[Past]:
    """Keys and values of beginnings, sorted by length, by block; padded at the end to the longest."""
    longest = len(beginnings[-1])
    parts: list[list[Past]] = []
    for batch in _batches(beginnings, [max(len(x), 1) for x in beginnings]):
        kept = transformer.begin(_pad(batch, device, at_least=1))
        parts.append([(_grow(keys, longest), _grow(values, longest)) for keys, values in kept])
    return [
        (torch.cat([keys for keys, _ in block]), torch.cat([values for _, values in block]))
        for block in zip(*parts, strict=True)
    ]


def _grow(x: Tensor, length: int) -> Tensor:
    """(B, heads, T, d) with T brought to a length."""
    return torch.nn.functional.pad(x[:, :, :length], (0, 0, 0, max(length - x.shape[2], 0)))


def _batches(rows: Sequence[Row], lengths: Sequence[int]) -> Iterator[Sequence[Row]]:
    """Neighbours, at most TOKENS tokens together once padded; `lengths` do not fall."""
    start = 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and lengths[end] * (end + 1 - start) <= TOKENS:
            end += 1
        yield rows[start:end]
        start = end


def _pad(sentences: Sequence[Sentence], device: torch.device, at_least: int = 0) -> Tensor:
    """Token ids (B, T), padded at the end with zeros, which nothing before them reads."""
    longest = max(at_least, *(len(x) for x in sentences), 0)
    return torch.tensor([[*x, *(0,) * (longest - len(x))] for x in sentences], device=device)

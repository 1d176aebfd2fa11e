"""Run a transformer over texts of different lengths: each text once, short ones together, padding cut."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from seemkit.api import Phrase

__all__ = ["encode_phrases"]

BATCH = 64


def encode_phrases(
    texts: Sequence[str],
    tokenize: Callable[[list[str]], Tensor],
    states: Callable[[Tensor], Tensor],
    *,
    cut: bool = True,
    summary: bool = False,
) -> list[Phrase]:
    """Encode texts with a CLIP tokenizer, whose end-of-text token has the largest id of a text.

    Args:
        texts: any strings; repeated ones are computed once.
        tokenize: texts to ids (N, L), padded to any length.
        states: ids (B, T) to states in the joint space (B, T, D).
        cut: run each batch no longer than its longest text. Exact for a causal transformer, whose states do
            not depend on what follows.
        summary: states are (B, T + 1, D), and the last is that of a class token, which becomes the embedding.

    Returns:
        for each text its tokens up to and including end-of-text, and the end-of-text state as embedding unless
        there is a `summary`.
    """
    unique = list(dict.fromkeys(texts))
    if not unique:
        return []
    ids = tokenize(unique)
    lengths = ids.argmax(dim=1) + 1
    order = lengths.argsort(stable=True)
    phrases: dict[str, Phrase] = {}
    for rows in torch.split(order, BATCH):
        batch = states(ids[rows, : int(lengths[rows].max())] if cut else ids[rows])  # B x T x D
        for row, state in zip(rows.tolist(), torch.unbind(batch), strict=True):
            # copies, so that a phrase that is kept does not keep its whole batch
            tokens = state[: int(lengths[row])].clone()
            embedding = state[-1] if summary else tokens[-1]
            phrases[unique[row]] = Phrase(tokens=tokens, embedding=embedding.clone())
    return [phrases[text] for text in texts]

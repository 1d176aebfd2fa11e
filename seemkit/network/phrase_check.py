"""What a text encoder gives, held against the width that it declared, before any row is made of it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from seemkit.errors import SeemkitError
from seemkit.prompting.rows import Phrase

__all__ = ["check_embeddings", "check_phrases"]


def check_phrases(phrases: Sequence[Phrase], count: int, dim: int, owner: str) -> list[Phrase]:
    """`phrases` of `count` texts, if each has tokens (T, D) and an embedding (D,) of finite numbers.

    Args:
        phrases: of the text encoder.
        count: how many texts it was given.
        dim: D, the width that it declared.
        owner: whose they are, for the sentence.

    Raises:
        SeemkitError: they are something else, in one sentence.
    """
    if len(phrases) != count:
        raise _refuse(owner, f"gave {len(phrases)} phrases for {count} texts")
    for phrase in phrases:
        tokens, embedding = tuple(phrase.tokens.shape), tuple(phrase.embedding.shape)
        if len(tokens) != 2 or not tokens[0] or tokens[1] != dim or embedding != (dim,):
            raise _refuse(
                owner,
                f"gave tokens {tokens} and an embedding {embedding}, but declares a width of {dim}: expected "
                f"(T, {dim}) and ({dim},)",
            )
    if not phrases or phrases[0].embedding.is_meta:
        return list(phrases)
    if not bool(torch.stack([phrase.embedding.isfinite().all() for phrase in phrases]).all()):
        raise _refuse(owner, "gave embeddings with numbers that are not finite")
    return list(phrases)


def check_embeddings(embeddings: Tensor, count: int, dim: int, owner: str) -> Tensor:
    """`embeddings` of `count` texts, if they are (N, D) finite numbers; arguments and errors as for phrases."""
    if tuple(embeddings.shape) != (count, dim):
        raise _refuse(
            owner,
            f"gave embeddings {tuple(embeddings.shape)} for {count} texts, but declares a width of {dim}: expected "
            f"({count}, {dim})",
        )
    if not embeddings.is_meta and not bool(embeddings.isfinite().all()):
        raise _refuse(owner, "gave embeddings with numbers that are not finite")
    return embeddings


def _refuse(owner: str, what: str) -> SeemkitError:
    return SeemkitError(
        f"{owner} {what}; update its plugin, or choose another with -s text_encoder=NAME",
        path="text_encoder",
    )

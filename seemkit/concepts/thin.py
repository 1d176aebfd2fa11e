"""The tokens of a region drawn together to a few, each with the number of points that it stands for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from seemkit.concept_file import TokenRows

__all__ = ["ThinTokens", "thin_tokens"]

ThinTokens = tuple[TokenRows, TokenRows | None, NDArray[np.int32]]
"""Contents, offsets of the positions if there are any, and counts."""


def thin_tokens(
    content: NDArray[np.float32], position: NDArray[np.float32] | None, count: int | None
) -> ThinTokens:
    """Tokens (T, C) as at most `count`, which may be written in eight bits; None keeps all as they are.

    Attention to equal rows is that to one of them times their number, so rows that are alike (as keys, which
    are content plus position, and as values, which are content) are replaced by their mean (Ward 1963).

    Args:
        content: of the tokens.
        position: theirs; None if it is the content.
        count: how many tokens are kept.
    """
    offset = None if position is None else position - content
    if count is None:
        ones = np.ones(len(content), np.int32)
        return TokenRows(content), None if offset is None else TokenRows(offset), ones
    keys = content if position is None else content + position
    groups = _alike(np.concatenate((content, keys), axis=1).astype(np.float64), count)
    number = groups.max() + 1
    counts = np.bincount(groups, minlength=number).astype(np.int32)
    means = (_means(rows, groups, counts) for rows in (content, offset) if rows is not None)
    first, *rest = (TokenRows.in_eight_bits(rows) for rows in means)
    return first, (rest[0] if rest else None), counts


def _alike(rows: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Which of at most `count` groups each row (T, C) belongs to, from 0 on, without gaps."""
    if len(rows) <= count:
        return np.arange(len(rows))
    if count == 1:
        return np.zeros(len(rows), np.intp)
    found = fcluster(linkage(rows, "ward"), count, "maxclust")
    return np.unique(found, return_inverse=True)[1].astype(np.intp)


def _means(
    rows: NDArray[np.float32], groups: NDArray[np.intp], counts: NDArray[np.int32]
) -> NDArray[np.float32]:
    total = np.zeros((len(counts), rows.shape[1]), np.float64)
    np.add.at(total, groups, rows)
    return (total / counts[:, None]).astype(np.float32)

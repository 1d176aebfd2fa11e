"""Rows of several objects side by side: what the composer hands to the decoder."""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["RowBatch", "stack_rows"]


@dataclass(frozen=True, eq=False)
class RowBatch:
    """Rows of one role for N objects, padded to the same length; the batch entry is the owner.

    Attributes:
        role: what the rows are to the decoder.
        content: (N, T, C), or one such tensor per feature level for rows made anew at each layer.
        position: the same shape.
        padding: (N, T) bool, True where there is no row; None if all are there; one a level if they differ.
        attends: (N, h, w) logits at stride 4 that limit cross-attention (memory); None for none.
        owners: (layers, T) which object each row is of in each layer; None: each object has its own rows.
    """

    role: str
    content: Tensor | tuple[Tensor, ...]
    position: Tensor | tuple[Tensor, ...]
    padding: Tensor | tuple[Tensor, ...] | None = None
    attends: Tensor | None = None
    owners: Tensor | None = None

    @property
    def anew(self) -> bool:
        """Whether the rows are made anew at each layer and only act as keys and values."""
        return isinstance(self.content, tuple)

    @property
    def length(self) -> int:
        """T."""
        first = self.content[0] if isinstance(self.content, tuple) else self.content
        return first.shape[1]

    def missing(self, level: int) -> Tensor | None:
        """The padding (N, T) at a feature level."""
        return self.padding[level] if isinstance(self.padding, tuple) else self.padding

    def at(self, level: int) -> tuple[Tensor, Tensor]:
        """Content and position (N, T, C) for a feature level."""
        if isinstance(self.content, tuple) and isinstance(self.position, tuple):
            return self.content[level], self.position[level]
        assert isinstance(self.content, Tensor)
        assert isinstance(self.position, Tensor)
        return self.content, self.position


def stack_rows(pieces: list[Tensor | None], like: Tensor) -> tuple[Tensor, Tensor]:
    """Pad row tensors (T_i, C) of N objects, None for no rows, to (N, T, C) and the padding (N, T)."""
    n, c = len(pieces), like.shape[-1]
    longest = max((piece.shape[0] for piece in pieces if piece is not None), default=0)
    out = like.new_zeros(n, longest, c)
    padding = torch.ones(n, longest, dtype=torch.bool, device=like.device)
    for i, piece in enumerate(pieces):
        if piece is not None:
            out[i, : piece.shape[0]] = piece
            padding[i, : piece.shape[0]] = False
    return out, padding

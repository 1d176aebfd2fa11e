"""The prediction heads: decoder rows to class embeddings and mask embeddings."""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Heads"]


class Heads(nn.Module):
    """Shared by every layer (X-Decoder, CVPR 2023, section 3).

    Args:
        dim: C, width of rows, of mask embeddings and of mask features.
        text_dim: D, width of the joint space of texts and class embeddings.
        sees: M, width of what is seen under masks, where class embeddings say that too; else 0.
    """

    def __init__(self, dim: int, text_dim: int, *, sees: int = 0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.class_proj = nn.Parameter(torch.empty(dim, text_dim))
        self.mask_mlp = nn.ModuleList(nn.Linear(dim, dim) for _ in range(3))
        nn.init.trunc_normal_(self.class_proj, std=0.02)
        self.seen = nn.Linear(sees, text_dim) if sees else None
        if self.seen is not None:  # at first it changes nothing
            nn.init.zeros_(self.seen.weight)
            nn.init.zeros_(self.seen.bias)

    def mask_embedding(self, x: Tensor) -> Tensor:
        """Normalised rows (N, Q, C) to mask embeddings (N, Q, C)."""
        first, second, third = self.mask_mlp
        out: Tensor = third(functional.relu(second(functional.relu(first(x)))))
        return out

    def meanings(self, read: Tensor) -> Tensor:
        """What cells (B, M, h, w) mean in the joint space, (B, D, h, w), for heads that see."""
        assert self.seen is not None
        found: Tensor = self.seen(read.movedim(1, -1)).movedim(-1, 1)
        return found

    def class_embedding(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """Normalised rows (N, Q, C) to class embeddings (N, Q, D), un-normalised.

        Args:
            x: the rows.
            seen: (N, Q, M) what lies under their masks, for heads that see.
        """
        out = x @ self.class_proj
        if self.seen is not None and seen is not None:
            out = out + self.seen(seen)
        return out

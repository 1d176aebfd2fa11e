"""The memory rows: learned queries that look only where the mask of an earlier round was."""

import torch
from torch import Tensor, nn

__all__ = ["MemoryRows"]


class MemoryRows(nn.Module):
    """Content and position (M, C) of the memory rows (SEEM section 3.2, memory prompts).

    The earlier mask enters as the limit of their cross-attention, in every layer.
    """

    def __init__(self, rows: int, dim: int) -> None:
        super().__init__()
        self.content = nn.Parameter(torch.randn(rows, dim))
        self.position = nn.Parameter(torch.randn(rows, dim))

    def forward(self) -> tuple[Tensor, Tensor]:
        """Content and position of one object's rows."""
        return self.content, self.position

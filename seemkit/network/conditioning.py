"""Queries that start from what they are asked: a preset's option for small models.

The published decoder copies the same object queries for every prompt and lets tokens steer them. A decoder of
few layers does better if its copies start from the region's or the phrase's anchor.
"""

import torch
from torch import Tensor, nn

__all__ = ["Conditioning"]


class Conditioning(nn.Module):
    """Linear terms added to the content and position of an object's queries."""

    def __init__(self, dim: int, text_dim: int) -> None:
        super().__init__()
        self.region = nn.Linear(dim, dim)
        self.centre = nn.Linear(dim, dim)
        self.phrase = nn.Linear(text_dim, dim)

    def forward(
        self,
        content: Tensor,
        position: Tensor,
        region: tuple[Tensor, Tensor] | None,
        centre: tuple[Tensor, Tensor] | None,
        phrase: tuple[Tensor, Tensor] | None,
    ) -> tuple[Tensor, Tensor]:
        """Condition the queries of N objects.

        Args:
            content: (N, Q, C).
            position: (N, Q, C).
            region: anchors in mask space (N, C) and where there is one (N,) bool; None for no object.
            centre: mean position encoding of the positive points (N, C) and where there is one.
            phrase: anchors in class space (N, D) and where there is one.
        """
        if region is not None:
            content = content + _where(region[1], self.region(region[0]))
        if phrase is not None:
            content = content + _where(phrase[1], self.phrase(nn.functional.normalize(phrase[0], dim=-1)))
        if centre is not None:
            position = position + _where(centre[1], self.centre(centre[0]))
        return content, position


def _where(present: Tensor, term: Tensor) -> Tensor:
    return torch.where(present[:, None], term, torch.zeros_like(term))[:, None]  # N x 1 x C

"""Mask losses of matched pairs at points that tell most (Kirillov et al., PointRend, CVPR 2020, section 4.1)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from seemkit.training.points import sample_maps

__all__ = ["Sampling", "choose_points", "mask_losses"]


@dataclass(frozen=True)
class Sampling:
    """How points are chosen.

    Attributes:
        points: P, how many a loss is taken at.
        oversample: how many times P are drawn to choose from.
        important: share of P that are the least certain of the drawn; the rest are new random ones.
    """

    points: int = 12_544
    oversample: float = 3.0
    important: float = 0.75

    @property
    def drawn(self) -> int:
        """How many points are drawn to choose from."""
        return int(self.points * self.oversample)

    @property
    def kept(self) -> int:
        """How many of them are kept."""
        return int(self.points * self.important)

    @property
    def total(self) -> int:
        """How many random points a pair needs in all."""
        return self.drawn + self.points - self.kept


def choose_points(logits: Tensor, xy: Tensor, sampling: Sampling) -> Tensor:
    """(K, P, 2): of the first `drawn` points those where |logit| is smallest, and all the others.

    Args:
        logits: (K, h, w) of the matched masks.
        xy: (K, `sampling.total`, 2).
        sampling: how many of which.
    """
    drawn, rest = xy[:, : sampling.drawn], xy[:, sampling.drawn :]
    with torch.no_grad():
        doubt = -sample_maps(logits[:, None], drawn)[:, 0].abs()  # K x drawn
        index = doubt.topk(sampling.kept, dim=1).indices
    return torch.cat((drawn.gather(1, index[..., None].expand(-1, -1, 2)), rest), dim=1)


def mask_losses(logits: Tensor, truth: Tensor, xy: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """Binary cross entropy and dice (K,) of K matched masks; gradients through the sampling of the logits only.

    Args:
        logits: (K, h, w).
        truth: (K, S, S) in [0, 1], of the same canvas.
        xy: (K, `sampling.total`, 2) random points in [0, 1] of the canvas.
        sampling: how the points are chosen.
    """
    logits, truth = logits.float(), truth.float()
    chosen = choose_points(logits, xy, sampling)
    said = sample_maps(logits[:, None], chosen)[:, 0]  # K x P
    wanted = sample_maps(truth[:, None], chosen)[:, 0]
    bce = functional.binary_cross_entropy_with_logits(said, wanted, reduction="none").mean(-1)
    probability = said.sigmoid()
    both = 2 * (probability * wanted).sum(-1) + 1
    return bce, 1 - both / (probability.sum(-1) + wanted.sum(-1) + 1)

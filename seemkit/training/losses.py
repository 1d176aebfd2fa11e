"""Mask and selection losses at sampled points, and the costs they are matched by (PointRend; Mask2Former)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["PointLoss", "dice", "mask_losses", "random_points", "sample_logits"]


def random_points(valid: Tensor, size: int, count: int, generator: torch.Generator) -> Tensor:
    """Uniform points (N, P, 2), (x, y) normalised to [0, 1] of the canvas, within `valid` (N, 2) = (h, w)."""
    xy = torch.rand(valid.shape[0], count, 2, generator=generator)
    return xy * (valid.flip(1) / size)[:, None]


def sample_logits(maps: Tensor, xy: Tensor) -> Tensor:
    """Maps (N, Q, h, w) at points (N, P, 2), bilinear, align_corners False: (N, Q, P)."""
    out = functional.grid_sample(maps, (2 * xy - 1)[:, None], mode="bilinear", align_corners=False)
    return out[:, :, 0]


def dice(probability: Tensor, target: Tensor) -> Tensor:
    """1 - (2 sum(p t) + 1) / (sum p + sum t + 1) over the last axis."""
    both = 2 * (probability * target).sum(-1) + 1
    return 1 - both / (probability.sum(-1) + target.sum(-1) + 1)


@dataclass(frozen=True, eq=False)
class PointLoss:
    """Losses of one head.

    Attributes:
        matched: (N,) index of the candidate that each object is matched with.
        bce: (N,) importance-sampled binary cross entropy of the matched candidate.
        dice: (N,) likewise.
    """

    matched: Tensor
    bce: Tensor
    dice: Tensor


def mask_losses(
    logits: Tensor, masks: Tensor, xy: Tensor, selection: Tensor | None, weights: tuple[float, float, float]
) -> PointLoss:
    """Match one object a cell with one of its candidates, and take that candidate's mask losses.

    Args:
        logits: (N, Q, h, w) mask logits of the candidates.
        masks: (N, 1, S, S) the objects, 0 or 1.
        xy: (N, 3 P, 2) random points; the losses keep the P most telling of them (three quarters by
            uncertainty, one quarter at random).
        selection: (N, Q) log-probabilities of the candidates by the object's anchors; None for none.
        weights: of the selection, the cross entropy and the dice in the matching cost.
    """
    n, q = logits.shape[:2]
    sampled = sample_logits(logits, xy)  # N x Q x 3P
    target = sample_logits(masks, xy)  # N x 1 x 3P
    with torch.no_grad():
        bce = functional.binary_cross_entropy_with_logits(
            sampled, target.expand(-1, q, -1), reduction="none"
        ).mean(-1)
        cost = weights[1] * bce + weights[2] * dice(sampled.sigmoid(), target)
        if selection is not None:
            cost = cost - weights[0] * selection.exp()
        matched = cost.argmin(1)
    chosen = sampled[torch.arange(n), matched]  # N x 3P
    with torch.no_grad():
        keep = xy.shape[1] // 3
        telling = (-chosen.abs()).topk(3 * keep // 4, dim=1).indices
        rest = torch.arange(keep - 3 * keep // 4).expand(n, -1)  # points are random already
        index = torch.cat((telling, rest), dim=1)
    chosen, wanted = chosen.gather(1, index), target[:, 0].gather(1, index)
    return PointLoss(
        matched,
        functional.binary_cross_entropy_with_logits(chosen, wanted, reduction="none").mean(-1),
        dice(chosen.sigmoid(), wanted),
    )

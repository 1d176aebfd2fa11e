"""Which candidate answers which object: costs at shared points, and the assignment that costs least.

Source: Cheng et al., Mask2Former, CVPR 2022, section 3.2; the weights of all three costs are honoured.
"""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional

from seemkit.network.precision import full_precision

__all__ = ["Cost", "assign", "pair_bce", "pair_costs", "pair_dice"]

Cost = tuple[float, float, float]
"""Weights of the choice (class or anchor), of the cross entropy and of the dice."""


def pair_bce(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean binary cross entropy of every pair: logits (E, Q, P), truth (E, M, P) in [0, 1]; (E, M, Q)."""
    inside = truth @ functional.softplus(-logits).mT
    outside = (1 - truth) @ functional.softplus(logits).mT
    return (inside + outside) / logits.shape[-1]


def pair_dice(logits: Tensor, truth: Tensor) -> Tensor:
    """1 - (2 sum(p t) + 1) / (sum p + sum t + 1) of every pair: (E, Q, P) and (E, M, P) to (E, M, Q)."""
    probability = logits.sigmoid()
    both = 2 * (truth @ probability.mT) + 1
    return 1 - both / (probability.sum(-1)[:, None] + truth.sum(-1)[..., None] + 1)


@torch.no_grad()
def pair_costs(logits: Tensor, truth: Tensor, choice: Tensor, cost: Cost | Tensor) -> Tensor:
    """(E, M, Q) cost of every candidate for every object, in float32 whatever is given and cast around it.

    Args:
        logits: (E, Q, P) mask logits of the candidates at shared points.
        truth: (E, M, P) the objects there.
        choice: (E, M, Q) probability of each candidate by the object's class or anchors.
        cost: weights, or (E, M, 3) of them for each object.
    """
    logits, truth = logits.float(), truth.float()
    by_choice, by_bce, by_dice = torch.as_tensor(cost, device=logits.device)[..., None].unbind(-2)
    with full_precision(logits.device):  # sums over points, whose differences decide
        masks = by_bce * pair_bce(logits, truth) + by_dice * pair_dice(logits, truth)
    return masks - by_choice * choice.float()


@torch.no_grad()
def assign(costs: Tensor) -> Tensor:
    """The candidate (E, M) of each object, no candidate twice (Kuhn 1955); costs (E, M, Q), M at most Q."""
    e, m, q = costs.shape
    if m == 1:
        return costs.argmin(-1)
    if m > q:
        raise ValueError(f"{m} objects cannot be matched with {q} candidates")
    matched = np.empty((e, m), np.int64)
    for entry, table in enumerate(np.nan_to_num(costs.cpu().numpy(), nan=1e6)):
        rows, columns = linear_sum_assignment(table)
        matched[entry, rows] = columns
    return torch.from_numpy(matched).to(costs.device)

"""The loss of everything mode: object queries against all objects of completely annotated pictures.

Source: Cheng et al., MaskFormer and Mask2Former; training.md sections 2 and 3 of SEEM (object group).
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional

from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.network.rows import RowBatch
from seemkit.pipeline.vocabulary import BACKGROUND, embed_vocabulary
from seemkit.training.losses import dice, random_points, sample_logits
from seemkit.training.views import View

__all__ = ["narrow", "object_losses"]

COST = (2.0, 5.0, 5.0)
"""Of class, cross entropy and dice in the matching."""
NOTHING = 0.1
"""Weight of the class "background" in the cross entropy."""


def narrow(scene: PreparedScene, count: int) -> PreparedScene:
    """The first `count` scenes of a batch."""
    return PreparedScene(
        tuple(x[:count] for x in scene.levels),
        scene.mask_features.first(count),
        tuple(x[:count] for x in scene.small),
        tuple(x[:count] for x in scene.keys),
        tuple(x[:count] for x in scene.values),
    )


def object_losses(
    network: Network,
    scene: PreparedScene,
    views: Sequence[View],
    names: Sequence[str],
    log_shares: Tensor,
    size: int,
    points: int,
    weight: float,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Class, cross entropy and dice losses of the object queries, over all heads.

    Args:
        network: the network.
        scene: B scenes.
        views: B views, with `visible`.
        names: K class names; every instance has one of them.
        log_shares: (K,) added to the logits of the names while training, against their imbalance.
        size: S of the canvas.
        points: P, sampled points of a mask loss.
        weight: of all of it.
        generator: of the points.
    """
    with torch.no_grad():
        vocabulary = embed_vocabulary(network, [*names, BACKGROUND])
    b = len(views)
    content, position = (x.expand(b, -1, -1) for x in network.decoder.object_queries())
    decoded = network.decoder(scene, [RowBatch("query", content, position)], network.heads, every_head=True)
    valid = torch.tensor([view.valid for view in views], dtype=torch.float32)
    xy = random_points(valid, size, points, generator)
    targets = []
    for i, view in enumerate(views):
        assert view.visible is not None
        masks = torch.from_numpy(view.visible).float()[None]
        classes = [names.index(str(view.picture.instances[k].name)) for k in view.visible_index]
        targets.append((sample_logits(masks, xy[i : i + 1])[0], torch.tensor(classes)))
    total = {"object_class": xy.new_zeros(()), "object_mask": xy.new_zeros(())}
    emphasis = torch.ones(len(names) + 1)
    emphasis[-1] = NOTHING
    share = weight / len(decoded.heads)
    count = max(sum(len(c) for _, c in targets), 1)
    for queries in decoded.heads:
        logits = network.class_logits(network.heads.class_embedding(queries), vocabulary)  # B x Q x K+1
        maps = scene.mask_features.dot(network.heads.mask_embedding(queries))
        sampled = sample_logits(maps, xy)  # B x Q x P
        wanted = torch.full(logits.shape[:2], len(names))
        for i, (truth, kinds) in enumerate(targets):
            rows, columns = _match(logits[i], sampled[i], truth, kinds)
            wanted[i, rows] = kinds[columns]
            chosen, aim = sampled[i, rows], truth[columns]
            bce = functional.binary_cross_entropy_with_logits(chosen, aim, reduction="none").mean(-1)
            mask = 5 * bce.sum() + 5 * dice(chosen.sigmoid(), aim).sum()
            total["object_mask"] = total["object_mask"] + share * mask / count
        adjusted = torch.cat((logits[..., :-1] + log_shares - log_shares.mean(), logits[..., -1:]), dim=-1)
        cross = functional.cross_entropy(adjusted.flatten(0, 1), wanted.flatten(), weight=emphasis)
        total["object_class"] = total["object_class"] + share * 2 * cross
    return total


@torch.no_grad()
def _match(logits: Tensor, sampled: Tensor, truth: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """Queries (Q) and objects (M) by Hungarian matching; `sampled` (Q, P), `truth` (M, P)."""
    chance = logits.softmax(-1)[:, classes]  # Q x M
    positive = functional.softplus(-sampled) @ truth.T
    negative = functional.softplus(sampled) @ (1 - truth).T
    bce = (positive + negative) / truth.shape[1]
    probability = sampled.sigmoid()
    both = 2 * probability @ truth.T + 1
    overlap = 1 - both / (probability.sum(-1)[:, None] + truth.sum(-1)[None] + 1)
    cost = -COST[0] * chance + COST[1] * bce + COST[2] * overlap
    rows, columns = linear_sum_assignment(np.nan_to_num(cost.numpy(), nan=1e6))
    return torch.from_numpy(rows), torch.from_numpy(columns)

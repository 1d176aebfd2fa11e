"""The loss of everything mode: object queries against all objects of completely annotated pictures.

Source: Cheng et al., MaskFormer and Mask2Former; SEEM's object group. A picture is judged by the names of its own
data set alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seemkit.network.network import Network
from seemkit.network.precision import full_precision
from seemkit.network.prepared import PreparedScene
from seemkit.network.rows import RowBatch
from seemkit.training.mask_losses import Sampling, mask_losses
from seemkit.training.matching import Cost, assign, pair_costs
from seemkit.training.name_tables import NameTables
from seemkit.training.points import PointDraws, sample_maps
from seemkit.training.recipe.sections import ObjectsSection
from seemkit.training.view import View

__all__ = ["Everything", "emphasis_of", "object_losses", "objects_of"]


@dataclass(frozen=True, eq=False)
class Everything:
    """How everything mode is judged.

    Attributes:
        weights: of the losses.
        cost: of the matching.
        matching: points of the matching.
        sampling: points of the losses.
        emphasis: sum of the weights of all queries in the cross entropy, over the whole step.
        masks: number of objects, over the whole step.
        head: weight of one head.
        last: whether the last head alone is judged.
    """

    weights: ObjectsSection
    cost: Cost
    matching: int
    sampling: Sampling
    emphasis: float
    masks: float
    head: float
    last: bool = False


def objects_of(view: View, tables: NameTables) -> list[tuple[int, int]]:
    """(index in the view's targets, number of the name) of every object that a name is learned of."""
    numbered = [(k, tables.place(view.source, each.name)) for k, each in enumerate(view.targets)]
    return [(k, number) for k, number in numbered if number is not None]


def emphasis_of(objects: int, queries: int, nothing: float) -> float:
    """Sum of the weights of a view's queries in the cross entropy; those that match no object weigh less."""
    matched = min(objects, queries)
    return matched + nothing * (queries - matched)


def object_losses(
    network: Network,
    scene: PreparedScene,
    views: Sequence[View],
    tables: NameTables,
    draws: PointDraws,
    options: Everything,
    seed: Sequence[int],
) -> dict[str, Tensor]:
    """Class, cross entropy and dice losses of the object queries, over all heads.

    Args:
        network: the network.
        scene: B scenes.
        views: B views, all complete.
        tables: names by data set.
        draws: points of the B views.
        options: how they are judged.
        seed: draws the sentences of the names.
    """
    device, b = network.device, len(views)
    content, position = (x.expand(b, -1, -1) for x in network.decoder.object_queries())
    decoded = network.decoder(scene, [RowBatch("query", content, position)], network.heads, every_head=True)
    found = [objects_of(view, tables) for view in views]
    masks = [
        torch.from_numpy(
            np.stack([view.targets[k].mask for k, _ in each] or [np.zeros_like(view.image[..., 0], bool)])
        )
        for view, each in zip(views, found, strict=True)
    ]
    truth = [x.to(device).float() for x in masks]
    kinds = [torch.tensor([number for _, number in each], dtype=torch.long, device=device) for each in found]
    embedded = {source: tables.embed(source, [*seed, source]) for source in {view.source for view in views}}
    zero = torch.zeros((), device=device)
    total = {"object_name": zero, "object_bce": zero, "object_dice": zero}
    emphasis, weights = options.emphasis, options.weights
    for states in decoded.heads[-1:] if options.last else decoded.heads:
        with full_precision(device):
            embeddings = network.heads.mask_embedding(states)
            classes = network.class_embeddings(states, embeddings, scene, named=True)
        maps = scene.mask_features.dot(embeddings)
        xy = draws.shared(options.matching)
        sampled = sample_maps(maps, xy)  # B x Q x P
        pairs: list[tuple[Tensor, Tensor]] = []
        for i, view in enumerate(views):
            logits = network.class_logits(classes[i], embedded[view.source])  # Q x K + 1
            wanted = torch.full(logits.shape[:1], logits.shape[1] - 1, device=device)
            rows, columns = _match(logits, sampled[i], truth[i], kinds[i], xy[i], options.cost)
            wanted[rows] = kinds[i][columns]
            heavy = torch.where(wanted == logits.shape[1] - 1, weights.nothing, 1.0)
            prior = tables.prior(view.source, device)
            adjusted = torch.cat((logits[:, :-1] + prior - prior.mean(), logits[:, -1:]), dim=-1)
            cross = functional.cross_entropy(adjusted, wanted, reduction="none")
            total["object_name"] = (
                total["object_name"] + options.head * weights.name / emphasis * (heavy * cross).sum()
            )
            pairs.append((maps[i, rows], truth[i][columns]))
        if not any(len(chosen) for chosen, _ in pairs):
            continue
        points = draws.each([len(chosen) for chosen, _ in pairs], options.sampling.total)
        chosen, wanted_masks = (torch.cat(side) for side in zip(*pairs, strict=True))
        bce, dice = mask_losses(chosen, wanted_masks, points, options.sampling)
        share = options.head / options.masks
        total["object_bce"] = total["object_bce"] + share * weights.bce * bce.sum()
        total["object_dice"] = total["object_dice"] + share * weights.dice * dice.sum()
    return total


@torch.no_grad()
def _match(
    logits: Tensor, sampled: Tensor, truth: Tensor, kinds: Tensor, xy: Tensor, cost: Cost
) -> tuple[Tensor, Tensor]:
    """Queries and objects (K,) that belong together: logits (Q, K + 1), sampled (Q, P), truth (M, S, S), xy (P, 2)."""
    if not len(kinds):
        none = torch.zeros(0, dtype=torch.long, device=logits.device)
        return none, none
    at = sample_maps(truth[None], xy[None])  # 1 x M x P
    chance = logits.softmax(-1)[:, kinds].T[None]  # 1 x M x Q
    costs = pair_costs(sampled[None], at, chance, cost)
    if costs.shape[1] <= costs.shape[2]:
        return assign(costs)[0], torch.arange(len(kinds), device=logits.device)
    objects = assign(costs.mT)[0]  # more objects than queries: each query takes the object that it fits
    return torch.arange(len(sampled), device=logits.device), objects

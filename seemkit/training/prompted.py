"""The losses of prompted objects: the choice by anchors, and the mask, of the candidate that an object is matched with.

Source: SEEM section 3.3: visual prompts are matched with mask embeddings, texts with class embeddings; SEEM's losses
as published are the defaults of the recipe.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seemkit.network.network import Network
from seemkit.network.precision import full_precision
from seemkit.network.prepared import PreparedScene
from seemkit.training.anchors import Choice, choices, joint
from seemkit.training.asking import Asked
from seemkit.training.batch import Divisors
from seemkit.training.cell import Cell
from seemkit.training.mask_losses import Sampling, mask_losses
from seemkit.training.matching import assign, pair_costs
from seemkit.training.points import PointDraws, sample_maps
from seemkit.training.recipe.sections import ObjectiveSection

__all__ = ["GROUPS", "Prompted", "prompted_losses"]

GROUPS = ("visual", "text")
"""What objects are asked for by; both have terms, 0 where a batch has none."""


@dataclass(frozen=True, eq=False)
class Prompted:
    """Losses of N cells.

    Attributes:
        terms: weighted, divided by the number of objects of the step.
        matched: (E, M) candidates that the cells of each entry were matched with at the last head.
    """

    terms: dict[str, Tensor]
    matched: Tensor


def prompted_losses(
    network: Network,
    scene: PreparedScene,
    cells: Sequence[Cell],
    asked: Asked,
    draws: PointDraws,
    options: ObjectiveSection,
    divisors: Divisors,
) -> Prompted:
    """Match at every head and take the losses of what was matched.

    Args:
        network: the network.
        scene: B scenes.
        cells: N = B * n, scene by scene.
        asked: their last pass, with every head.
        draws: points of the B views.
        options: weights, costs and points.
        divisors: of the whole step.
    """
    device, n = network.device, len(cells)
    per_view = n // scene.batch
    entries = asked.decoded.queries.shape[0]
    m = n // entries
    masks = torch.from_numpy(np.stack([c.target.mask for c in cells])).to(device).float()  # N x S x S
    groups = [c.group for c in cells]
    weights = {name: _per_cell(groups, options, name, divisors, device) for name in ("choice", "bce", "dice")}
    costs = torch.tensor([getattr(options.cost, group) for group in groups], device=device).view(
        entries, m, 3
    )
    sharing = _sharing(cells, entries, device)
    factors = {"phrase": options.text.phrase, "name": options.text.name, "none": 1.0}
    worded = options.text.choice * torch.tensor([factors[c.words] for c in cells], device=device)
    sampling = Sampling(options.points.loss, options.points.oversample, options.points.important)
    heads = asked.decoded.heads[-1:] if options.heads == "last" else asked.decoded.heads
    share = 1 / len(heads) if options.heads == "mean" else 1.0
    terms = {f"{group}_{name}": masks.new_zeros(()) for group in GROUPS for name in ("choice", "bce", "dice")}
    at = {group: torch.tensor([g == group for g in groups], device=device).float() for group in GROUPS}
    for states in heads:
        with full_precision(device):
            embeddings = network.heads.mask_embedding(states)
        logits = asked.decoded.masks(scene, embeddings)  # E x Q x h x w
        found = choices(
            network, scene, states, embeddings, asked.decoded.bias, asked.anchors, m, asked.padding
        )
        xy = draws.shared(options.points.matching)  # B x P x 2
        truth = sample_maps(masks.view(scene.batch, per_view, *masks.shape[1:]), xy).reshape(entries, m, -1)
        sampled = sample_maps(logits.detach(), xy.repeat_interleave(entries // scene.batch, 0))  # E x Q x P
        said = joint(found, states, m)  # E x M x Q
        fits = pair_costs(sampled, truth, said.exp(), costs)  # E x M x Q
        if asked.padding is not None:
            fits = fits.masked_fill(asked.padding[:, None], torch.inf)
        matched = assign(fits)  # E x M
        chosen = logits[torch.arange(entries, device=device)[:, None], matched].flatten(0, 1)  # N x h x w
        points = draws.each([per_view] * scene.batch, sampling.total)
        bce, dice = mask_losses(chosen, masks, points, sampling)
        choice = _choice_losses(found, matched, sharing, options.visual.choice, worded)
        for name, values in (("choice", choice), ("bce", bce), ("dice", dice)):
            for group in GROUPS:
                term = (share * weights[name] * values * at[group]).sum()
                terms[f"{group}_{name}"] = terms[f"{group}_{name}"] + term
    return Prompted(terms, matched)


def _per_cell(
    groups: Sequence[str], options: ObjectiveSection, name: str, divisors: Divisors, device: torch.device
) -> Tensor:
    """(N,) weight of a loss of each cell over the number of objects that it is averaged over."""
    over = {
        group: max(getattr(divisors, group) if options.mean == "group" else divisors.cells, 1.0)
        for group in GROUPS
    }
    weight = {group: 1.0 if name == "choice" else getattr(getattr(options, group), name) for group in GROUPS}
    return torch.tensor([weight[group] / over[group] for group in groups], device=device)


def _sharing(cells: Sequence[Cell], entries: int, device: torch.device) -> Tensor | None:
    """(E, M, M) rows that sum to 1: cells of an entry that ask for one object share what they are matched with."""
    m = len(cells) // entries
    if m == 1:
        return None
    places = torch.tensor([cell.target.place for cell in cells], device=device).view(entries, m)
    same = (places[:, :, None] == places[:, None]).float()
    return same / same.sum(-1, keepdim=True)


def _choice_losses(
    found: Sequence[Choice],
    matched: Tensor,
    sharing: Tensor | None,
    seen: float,
    worded: Tensor,
) -> Tensor:
    """(N,) weighted sum over anchors of the cross entropy between candidates, at the matched ones.

    Anchors in mask space weigh `seen`, those in class space `worded` (N,).
    """
    total = torch.zeros_like(worded)
    for choice in found:
        if sharing is None:
            picked = choice.log_probability.gather(-1, matched[..., None])[..., 0]  # E x M
        else:
            every = choice.log_probability.gather(-1, matched[:, None].expand(-1, matched.shape[1], -1))
            picked = (every * sharing).sum(-1)
        spoken = torch.where(choice.evidence, picked, torch.zeros_like(picked))
        total = total - (seen if choice.space == "mask" else worded) * spoken.flatten()
    return total

"""Anchors of N objects side by side, and how well each candidate answers them, in the space of each anchor."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seemkit.network.network import Network
from seemkit.network.precision import at_least_single, full_precision
from seemkit.network.prepared import PreparedScene
from seemkit.prompting.rows import Anchor, Space

__all__ = ["AnchorBatch", "Choice", "choices", "joint", "stack_anchors"]


@dataclass(frozen=True, eq=False)
class AnchorBatch:
    """One anchor of each object that has one.

    Attributes:
        space: "mask" compares with mask embeddings, "class" with class embeddings.
        vector: (N, C) or (N, D).
        evidence: (N,) bool, whether an object has it.
    """

    space: Space
    vector: Tensor
    evidence: Tensor


@dataclass(frozen=True, eq=False)
class Choice:
    """What one anchor of each object says of its candidates.

    Attributes:
        space: of the anchor.
        log_probability: (E, M, Q), a log-softmax over the candidates.
        evidence: (E, M) bool; where it is False the anchor does not speak.
    """

    space: Space
    log_probability: Tensor
    evidence: Tensor


def stack_anchors(anchors: Sequence[Sequence[Anchor]], network: Network) -> list[AnchorBatch]:
    """Anchors of N objects, the k-th of each space side by side; those that exclude, abstain or fall back are left."""
    like, batches = network.decoder.level_embed, []
    spaces: tuple[Space, Space] = ("mask", "class")
    for space in spaces:
        own = [
            [
                a.vector
                for a in each
                if a.space == space and a.include and not a.fallback and a.vector is not None
            ]
            for each in anchors
        ]
        width = network.dims.channels if space == "mask" else network.dims.text
        blank = like.new_zeros(width)
        for k in range(max(map(len, own), default=0)):
            given = [each[k] if len(each) > k else blank for each in own]
            evidence = torch.tensor([len(each) > k for each in own], device=like.device)
            batches.append(AnchorBatch(space, torch.stack([v.to(blank) for v in given]), evidence))
    return batches


def choices(
    network: Network,
    scene: PreparedScene,
    queries: Tensor,
    mask_embeddings: Tensor,
    bias: Tensor | None,
    anchors: Sequence[AnchorBatch],
    each: int,
    padding: Tensor | None = None,
) -> list[Choice]:
    """What the anchors of N = E * M objects say of the candidates of E entries.

    Args:
        network: has the heads and the temperature of class similarities.
        scene: B scenes.
        queries: (E, Q, C) states of the candidates.
        mask_embeddings: (E, Q, C) of them.
        bias: (E, h, w) logits that every mask of an entry has on top; None for none.
        anchors: of the objects, entry by entry.
        each: M.
        padding: (E, Q) bool, True where there is no candidate, whose probability is then 0; None if all are there.
    """
    found = []
    limit = network.decoder.preset.class_scale_limit
    classes = None
    queries, mask_embeddings = at_least_single(queries), at_least_single(mask_embeddings)
    with full_precision(queries.device):  # similarities are scaled up by as much as 100
        for batch in anchors:
            vector = at_least_single(batch.vector).view(-1, each, batch.vector.shape[-1])  # E x M x C
            if batch.space == "mask":
                logits = vector @ mask_embeddings.mT
            else:
                fits = None
                if classes is None:
                    first = (at_least_single(batch.vector), batch.evidence)
                    fits = network.words_fit(scene, first, mask_embeddings, bias) if each == 1 else None
                    said = network.class_embeddings(queries, mask_embeddings, scene, bias, named=True)
                    classes = nn.functional.normalize(said, dim=-1)
                logits = network.class_scale(limit) * (nn.functional.normalize(vector, dim=-1) @ classes.mT)
                if fits is not None:
                    logits = logits + fits[:, None]
            if padding is not None:
                logits = logits.masked_fill(padding[:, None], -torch.inf)
            found.append(Choice(batch.space, logits.float().log_softmax(-1), batch.evidence.view(-1, each)))
    return found


def joint(found: Sequence[Choice], like: Tensor, each: int) -> Tensor:
    """(E, M, Q) sum of the log-probabilities of all anchors, as the policy `fused` adds them.

    Args:
        found: what each anchor says.
        like: (E, Q, C), for the shape where no anchor speaks.
        each: M.
    """
    total = torch.zeros(like.shape[0], each, like.shape[1], device=like.device)
    for choice in found:
        total = total + choice.log_probability.where(choice.evidence[..., None], 0.0)
    return total

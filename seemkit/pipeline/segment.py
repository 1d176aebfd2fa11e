"""Answering prompts: decode objects in chunks, weigh their anchors, choose rows, bring masks to the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from seemkit.answer.fused import against
from seemkit.components import AnswerPolicy, Evidence
from seemkit.errors import SeemkitError
from seemkit.pipeline.compose import CLICKS, Composed, ObjectPrompts, compose, similarity
from seemkit.pipeline.legacy import split_objects
from seemkit.pipeline.parts import nested_rows, pointed_at

if TYPE_CHECKING:
    from seemkit.pipeline.context import Context
    from seemkit.prompting.rows import Anchor

__all__ = ["Answer", "Memory", "Select", "answer_objects", "check_select"]

Select = Literal["best", "all", "parts"] | int
Memory = Mapping[str, Tensor] | None
MEGABYTE = 1_000_000


@dataclass(frozen=True, eq=False)
class Answer:
    """The chosen rows of one object.

    Attributes:
        object: its name.
        logits: (k, h, w) at stride 4, best first; of parts, the largest first.
        states: (k, D) class embeddings of the rows.
        probability: (k,) of the rows by the answer policy, over all candidates.
        roles: of what each anchor is evidence for, "not" before it if it excludes.
        shares: (A, k) what each anchor adds to the rows, as logarithms.

    All tensors are on the device, so that an answer is there before it is computed.
    """

    object: str
    logits: Tensor
    states: Tensor
    probability: Tensor
    roles: tuple[str, ...]
    shares: Tensor


def check_select(select: Select) -> None:
    """Raise :class:`SeemkitError` unless `select` is "best", "all", "parts" or a positive number."""
    if isinstance(select, str) and select in ("best", "all", "parts"):
        return
    if isinstance(select, Integral) and not isinstance(select, bool) and select >= 1:
        return
    raise SeemkitError(
        f"select is {select!r}; it is 'best', 'all', 'parts' or a number of masks from 1 on", path="select"
    )


def answer_objects(
    objects: Sequence[ObjectPrompts],
    context: Context,
    policy: AnswerPolicy,
    select: Select,
    memory: Memory = None,
) -> list[Answer]:
    """Answer objects on one scene, as many at once as the budget allows, in the order given.

    They are computed in the order of their names, so that the order of a request does not change a bit.

    Args:
        objects: what is asked, by object.
        context: the scene and the encoders.
        policy: how anchors choose.
        select: which rows of each object.
        memory: logits (h, w) at stride 4 of an earlier round, by object.
    """
    answers: dict[str, Answer] = {}
    ordered = sorted(objects, key=lambda item: item.name)
    for some in _parts(ordered, context):
        composed = compose(context.network, context.scene, context.prepared, some, context, memory or {})
        answers.update((a.object, a) for a in _answer(some, composed, context, policy, select))
    return [answers[item.name] for item in objects]


def _parts(objects: Sequence[ObjectPrompts], context: Context) -> Sequence[Sequence[ObjectPrompts]]:
    """Objects that are decoded at once; where draws are shared, all that share them."""
    if context.draws is not None:
        return list(split_objects(objects, context.network.decoder.options.legacy))
    chunk, parts, used = _chunk_size(context), list[list[ObjectPrompts]](), 0
    for item in objects:
        cost = CLICKS if context.network.words_click and not item.spatial else 1
        if not parts or used + cost > chunk:
            parts, used = [*parts, []], 0
        parts[-1].append(item)
        used += cost
    return parts


def _chunk_size(context: Context) -> int:
    options = context.network.decoder.options
    rows = (options.candidates or options.queries) + options.memory_rows
    cells = max(x.shape[-1] * x.shape[-2] for x in context.prepared.levels)
    budget = context.runtime.section.memory_budget * MEGABYTE
    return max(1, budget // (rows * cells * (options.heads * 4 + 8)))


def _answer(
    objects: Sequence[ObjectPrompts],
    composed: Composed,
    context: Context,
    policy: AnswerPolicy,
    select: Select,
) -> list[Answer]:
    network, features = context.network, context.prepared.mask_features.in_single()
    decoded = context.runtime.decode(network, context.prepared, composed.rows, composed.bias)
    said = composed.said
    scene = context.look_closer() if context.named or said is not None else context.prepared
    named = context.named or (said is not None and said[1])
    states = network.class_embeddings(decoded.queries, decoded.mask_embeddings, scene, composed.bias, named)
    fits = network.words_fit(scene, said, decoded.mask_embeddings, composed.bias)
    n = len(composed.anchors)
    classes = states.expand(n, -1, -1)
    embeddings = decoded.mask_embeddings.expand(n, -1, -1)  # phrases may share candidates
    candidates = embeddings.shape[1]
    count = {"best": 1}.get(select, candidates) if isinstance(select, str) else min(int(select), candidates)
    weighed = [
        _weigh(context, anchors, embeddings[i], classes[i], None if fits is None else fits[i])
        for i, anchors in enumerate(composed.anchors)
    ]
    scores = torch.stack([policy.score(evidence) for evidence in weighed])  # N x Q
    bias = composed.bias
    if n > len(objects) and fits is not None:
        rows, turns = _choose_clicks(
            composed.owners, fits.gather(1, scores.argmax(1, keepdim=True))[:, 0], context
        )
        weighed = [_evidence_of(weighed[start:stop], turn) for (start, stop), turn in turns]
        scores, classes, embeddings = scores[rows], classes[rows], embeddings[rows]
        bias = None if bias is None else bias[rows]
    order = scores.argsort(dim=1, descending=True, stable=True)[:, :count]
    logits = features.dot(embeddings.gather(1, order[..., None].expand(-1, -1, embeddings.shape[2])))
    if bias is not None:
        logits = logits + bias[:, None]
    chosen = classes.gather(1, order[..., None].expand(-1, -1, classes.shape[2]))
    probability = scores.log_softmax(1).exp().gather(1, order)
    roles = [tuple(e.role if e.include else f"not {e.role}" for e in evidence) for evidence in weighed]
    shares = [
        torch.stack([_share(each)[rows] for each in evidence])
        for evidence, rows in zip(weighed, order, strict=True)
    ]
    answers = [
        Answer(item.name, *answer)
        for item, *answer in zip(objects, logits, chosen, probability, roles, shares, strict=True)
    ]
    if select != "parts":
        return answers
    return [_nested_of(answer, item, context) for answer, item in zip(answers, objects, strict=True)]


def _choose_clicks(
    owners: Sequence[int], fit: Tensor, context: Context
) -> tuple[Tensor, list[tuple[tuple[int, int], Tensor]]]:
    """Of each object, the click whose answer fits the words best.

    Args:
        owners: which object each of the N rows is of, one after another.
        fit: (N,) how well the answers fit.
        context: how tensors reach the device.

    Returns:
        The row of each object (n,); and of each object, where its rows begin and end, and which of them that is (1,).
    """
    starts = [i for i, owner in enumerate(owners) if not i or owner != owners[i - 1]]
    spans = list(zip(starts, [*starts[1:], len(owners)], strict=True))
    turns = [fit[start:stop].argmax(0, keepdim=True) for start, stop in spans]
    rows = context.runtime.send(torch.tensor(starts), fit.device) + torch.cat(turns)
    return rows, list(zip(spans, turns, strict=True))


def _evidence_of(weighed: Sequence[Sequence[Evidence]], turn: Tensor) -> list[Evidence]:
    """What the anchors of an object say at one (1,) of its clicks."""
    return [
        replace(same[0], log_probabilities=torch.stack([e.log_probabilities for e in same])[turn][0])
        for same in zip(*weighed, strict=True)
    ]


def _nested_of(answer: Answer, item: ObjectPrompts, context: Context) -> Answer:
    """The candidates of an object that lie one within the other, the largest first.

    How many there are decides what is made of them, so here the host waits once for each object.
    """
    height, width = answer.logits.shape[-2:]
    pointed = pointed_at(item.spatial, context.scene.grid, (height, width))
    rows = context.runtime.send(torch.tensor(nested_rows(answer.logits, pointed)), answer.logits.device)
    return Answer(
        answer.object,
        answer.logits[rows],
        answer.states[rows],
        answer.probability[rows],
        answer.roles,
        answer.shares[:, rows],
    )


def _weigh(
    context: Context,
    anchors: Sequence[Anchor],
    mask_embeddings: Tensor,
    class_embeddings: Tensor,
    fits: Tensor | None,
) -> list[Evidence]:
    """What the anchors of an object say of its candidates; `fits` (Q,) is of the first text that it includes."""
    first = next((anchor for anchor in anchors if anchor.space == "class" and anchor.include), None)
    found = []
    for anchor in anchors:
        logits = similarity(context.network, anchor, mask_embeddings, class_embeddings)
        if fits is not None and anchor is first:
            logits = logits + fits
        found.append(Evidence(logits.log_softmax(0), anchor.role, anchor.include))
    return found


def _share(evidence: Evidence) -> Tensor:
    """(Q,) what one anchor adds to each candidate."""
    return evidence.log_probabilities if evidence.include else against([evidence])

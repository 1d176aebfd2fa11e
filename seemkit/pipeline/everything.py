"""Everything in a scene without a prompt: panoptic and instance segmentation; what the object queries say.

Source: evaluation.md section 1 of SEEM, after Cheng et al., Mask2Former, CVPR 2022.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from seemkit.errors import SeemkitError
from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.network.rows import RowBatch
from seemkit.pipeline.upscale import upscale
from seemkit.pipeline.vocabulary import NameEmbeddings, name_logits
from seemkit.runtime.runtime import Runtime
from seemkit.scene import Scene

__all__ = [
    "Enlarged",
    "Rows",
    "Segment",
    "Task",
    "Thresholds",
    "check_task",
    "decode_everything",
    "instances",
    "panoptic",
]

Task = Literal["panoptic", "instance", "semantic"]


@dataclass(frozen=True)
class Thresholds:
    """When a query counts.

    Attributes:
        score: a query's largest class probability must exceed it.
        overlap: share of its own mask that a query must win.
        instances: how many instances at most.
    """

    score: float = 0.8
    overlap: float = 0.8
    instances: int = 100


@dataclass(frozen=True, eq=False)
class Rows:
    """What the object queries say.

    Attributes:
        probabilities: (Q, K + 1) over the vocabulary, background last.
        logits: (Q, h, w) mask logits at stride 4.
    """

    probabilities: Tensor
    logits: Tensor


@dataclass(frozen=True, eq=False)
class Segment:
    """One segment: its mask (H, W), class index, score, stride-4 logits and the query it came from."""

    mask: Tensor
    category: int
    score: float
    logits: Tensor


def check_task(task: str) -> None:
    """Raise :class:`SeemkitError` unless it is a task."""
    if task not in get_args(Task):
        raise SeemkitError(f"task is {task!r}; it is one of {', '.join(get_args(Task))}", path="task")


def decode_everything(
    network: Network,
    prepared: PreparedScene,
    vocabulary: Tensor | NameEmbeddings,
    runtime: Runtime | None = None,
) -> Rows:
    """Run the object queries alone; `vocabulary` (K + 1, D) is normalised, background last."""
    content, position = network.decoder.object_queries()
    queries = RowBatch("query", content[None], position[None])
    decoded = (runtime or Runtime()).decode(network, prepared, [queries])
    classes = network.class_embeddings(decoded.queries, decoded.mask_embeddings, prepared, named=True)[0]
    probabilities = name_logits(network, classes, vocabulary).softmax(-1)
    return Rows(probabilities, prepared.mask_features.dot(decoded.mask_embeddings)[0])


class Enlarged:
    """Masks at the original size, made one at a time when they are asked for: a photo may have 100 megapixels.

    Args:
        rows: what the queries say.
        scene: the scene that they are of.
    """

    def __init__(self, rows: Rows, scene: Scene) -> None:
        self._logits = rows.logits
        self._grid = scene.grid
        self._padded = scene.padded
        self.shape = (len(rows.logits), *self._grid.original)

    def __getitem__(self, query: int) -> Tensor:
        return upscale(self._logits[query : query + 1], self._grid, self._padded, mode="bicubic")[0]


def panoptic(
    rows: Rows, full: Enlarged | Tensor, thresholds: Thresholds, stuff: frozenset[int]
) -> tuple[Tensor, list[Segment]]:
    """Segments that do not overlap; those of one stuff class are merged.

    Args:
        rows: what the queries say.
        full: (Q, H, W) logits at the original size.
        thresholds: when a query counts.
        stuff: indices of classes that are not countable.

    Returns:
        (H, W) int32 ids, 0 for nothing, and the segments of ids 1, 2, ... in query order.
    """
    best, category = rows.probabilities.max(-1)
    background = rows.probabilities.shape[1] - 1
    keep = ((category != background) & (best > thresholds.score)).nonzero()[:, 0]
    ids = torch.zeros(full.shape[-2:], dtype=torch.int32, device=rows.logits.device)
    segments: list[Segment] = []
    if not len(keep):
        return ids, segments
    strongest = torch.full(full.shape[-2:], -1.0, device=ids.device)
    winner = torch.zeros_like(ids)
    for k, query in enumerate(keep.tolist()):
        strength = best[query] * full[query].sigmoid()
        won = strength > strongest
        strongest[won], winner[won] = strength[won], k
    merged: dict[int, int] = {}
    for k, query in enumerate(keep.tolist()):
        mine, solid = winner == k, full[query].sigmoid() >= 0.5
        region = mine & solid
        if not region.any() or int(mine.sum()) / int(solid.sum()) < thresholds.overlap:
            continue
        index = int(category[query])
        score = float(best[query])
        if index in stuff and index in merged:
            old = segments[merged[index]]
            at = merged[index]
            both = torch.maximum(old.logits, rows.logits[query])
            segments[at] = Segment(old.mask | region, index, max(old.score, score), both)
        else:
            at = len(segments)
            merged[index] = at
            segments.append(Segment(region, index, score, rows.logits[query]))
        ids[region] = at + 1
    return ids, segments


def instances(
    rows: Rows, full: Enlarged | Tensor, thresholds: Thresholds, stuff: frozenset[int]
) -> list[Segment]:
    """The best (query, class) pairs, things only; score is class probability times mean mask probability."""
    chances = rows.probabilities[:, :-1]
    count = min(thresholds.instances, chances.numel())
    values, flat = chances.flatten().topk(count)
    segments = []
    found: dict[int, tuple[Tensor, float]] = {}
    for value, index in zip(values.tolist(), flat.tolist(), strict=True):
        query, category = divmod(index, chances.shape[1])
        if category in stuff:
            continue
        if query not in found:
            logits = full[query]
            mask = logits > 0
            found[query] = mask, float((logits.sigmoid() * mask).sum() / (mask.sum() + 1e-6))
        mask, inside = found[query]
        if mask.any():
            segments.append(Segment(mask, category, value * inside, rows.logits[query]))
    segments.sort(key=lambda s: -s.score)
    return segments

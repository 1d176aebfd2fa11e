"""From chosen rows to a :class:`Result`: masks at the original size, scores, ranked labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from seemkit.pipeline.upscale import masks_and_scores
from seemkit.result import Label, Result, Segments

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from seemkit.pipeline.everything import Segment
    from seemkit.pipeline.model import Model
    from seemkit.pipeline.segment import Answer
    from seemkit.scene import Scene

__all__ = ["present_answers", "present_panoptic", "present_segments", "present_semantic"]

RANKED = 5
"""Labels kept for each mask."""


def present_answers(model: Model, scene: Scene, answers: Sequence[Answer], names: Sequence[str]) -> Result:
    """The result of prompts: k masks an object, in order of objects.

    The device is waited for once, when everything has been asked of it.
    """
    logits = torch.cat([a.logits for a in answers])
    full, certain = masks_and_scores(logits, scene.grid, scene.padded)
    found = [full, certain, logits, torch.cat([a.probability for a in answers])]
    if names:
        probabilities = model.label(torch.cat([a.states for a in answers]), names)
        found += probabilities.topk(min(RANKED, len(names)))
    given = model.runtime.fetch([*found, torch.cat([a.shares.flatten() for a in answers])])
    masks, scores, rows, selection, *more = given
    ranked = zip(*more[:2], strict=True) if names else ()
    ends = np.cumsum([a.shares.numel() for a in answers])[:-1]
    shares = [part.reshape(a.shares.shape) for a, part in zip(answers, np.split(more[-1], ends), strict=True)]
    return Result(
        masks=masks,
        scores=scores,
        objects=tuple(a.object for a in answers for _ in range(len(a.probability))),
        labels=tuple(_rank(values, order, names) for values, order in ranked),
        selection=selection,
        shares=tuple(
            share for a, each in zip(answers, shares, strict=True) for share in _by_role(a.roles, each)
        ),
        logits=rows,
        image=scene.image,
        task="segment",
        vocabulary=tuple(names),
    )


def present_segments(scene: Scene, segments: Sequence[Segment], names: Sequence[str], task: str) -> Result:
    """Segments as masks; each is an object of its own."""
    height, width = scene.size
    masks = np.zeros((len(segments), height, width), bool)
    for i, segment in enumerate(segments):
        masks[i] = segment.mask.cpu().numpy()
    return Result(
        masks=masks,
        scores=np.array([s.score for s in segments], np.float32),
        objects=tuple(str(i + 1) for i in range(len(segments))),
        labels=tuple(((names[s.category], s.score),) for s in segments),
        logits=torch.stack([s.logits for s in segments]).cpu().numpy() if segments else None,
        image=scene.image,
        task=task,
        vocabulary=tuple(names),
    )


def present_panoptic(
    scene: Scene, ids: Tensor, segments: Sequence[Segment], names: Sequence[str], stuff: frozenset[int]
) -> Result:
    """Segments that do not overlap, with the map of their ids."""
    from dataclasses import replace

    info = tuple(
        {
            "id": i + 1,
            "label": names[s.category],
            "score": s.score,
            "thing": s.category not in stuff,
            "area": int(s.mask.sum()),
        }
        for i, s in enumerate(segments)
    )
    plain = present_segments(scene, segments, names, "panoptic")
    return replace(plain, segments=Segments(ids.cpu().numpy(), info))  # type: ignore[arg-type]


def present_semantic(scene: Scene, winner: Tensor, best: Tensor, names: Sequence[str]) -> Result:
    """One mask for each name that wins a pixel, and the map of names.

    Args:
        scene: of which they are.
        winner: (H, W) the name of each pixel, by its place.
        best: (H, W) its sum of chances.
        names: of the vocabulary.
    """
    found = [int(k) for k in np.unique(winner.cpu().numpy())]
    masks = torch.stack([winner == k for k in found])
    means = [float(best[mask].clamp(max=1).mean()) for mask in masks]
    return Result(
        masks=masks.cpu().numpy(),
        scores=np.array(means, np.float32),
        objects=tuple(str(i + 1) for i in range(len(found))),
        labels=tuple(((names[k], mean),) for k, mean in zip(found, means, strict=True)),
        image=scene.image,
        task="semantic",
        vocabulary=tuple(names),
        semantic=winner.to(torch.int32).cpu().numpy(),
    )


def _rank(
    values: NDArray[np.floating], order: NDArray[np.integer], names: Sequence[str]
) -> tuple[Label, ...]:
    return tuple((names[k], float(v)) for v, k in zip(values, order, strict=True))


def _by_role(roles: Sequence[str], shares: NDArray[np.floating]) -> Iterator[dict[str, float]]:
    """For each of k rows, what the anchors of each role add together; `shares` (A, k)."""
    for column in shares.T:
        total: dict[str, float] = {}
        for role, share in zip(roles, column, strict=True):
            total[role] = total.get(role, 0.0) + float(share)
        yield total

"""One prompt of each spatial kind, simulated from the mask by the plugin itself; the mean IoU of its answer."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from seemkit.evaluation.datasets import Labelled
from seemkit.evaluation.figures import Figure
from seemkit.evaluation.metrics.masks import iou
from seemkit.prompting.prompt import SpatialPrompt
from seemkit.prompting.read import prompt_types

if TYPE_CHECKING:
    from seemkit.pipeline.model import Model

__all__ = ["prompt_figures"]

PROTOCOL = "one simulated prompt"


def prompt_figures(model: Model, items: Iterable[Labelled], split: str, seed: int = 0) -> list[Figure]:
    """Mean IoU for every installed spatial prompt type that can be simulated."""
    scores: dict[str, list[float]] = {}
    kinds = {name: kind for name, kind in prompt_types().items() if issubclass(kind, SpatialPrompt)}
    for item in items:
        scene = model.encode(item.image)
        for name, kind in kinds.items():
            rng = np.random.default_rng([seed, zlib.crc32(f"{item.key} {name}".encode())])
            prompt = kind.simulate(item.mask, rng)
            if prompt is not None:
                result = model.segment(scene, [prompt])
                scores.setdefault(name, []).append(iou(result.masks[0], item.mask, item.ignore))
    return [
        Figure(f"{split} prompts", f"mIoU {name}", float(np.mean(values)), PROTOCOL, split, len(values), seed)
        for name, values in scores.items()
    ]

"""A result as plain values for JSON, without pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seemkit.results.coco import run_lengths

if TYPE_CHECKING:
    from seemkit.result import Result

__all__ = ["record"]

_VERSION = 1


def record(result: Result) -> dict[str, object]:
    """The result for JSON: one entry per mask, and the maps of semantic and panoptic tasks as masks by label.

    Numbers that JSON lacks (an anchor that excludes with certainty adds minus infinity) become null.
    """
    height, width = result.size
    masks: list[dict[str, object]] = []
    for n, annotation in enumerate(result.to_coco()):
        labels = [{"label": name, "probability": _number(p)} for name, p in result.labels[n]]
        masks.append(
            {
                "object": annotation["object"],
                "score": _number(annotation["score"]),
                "selection": None if result.selection is None else _number(result.selection[n]),
                "shares": {role: _number(share) for role, share in result.shares[n].items()},
                "labels": labels,
                "bbox": annotation["bbox"],
                "area": annotation["area"],
                "segmentation": annotation["segmentation"],
            }
        )
    whole: dict[str, object] = {
        "version": _VERSION,
        "task": result.task,
        "size": [height, width],
        "vocabulary": list(result.vocabulary),
        "masks": masks,
    }
    if result.semantic is not None:
        whole["semantic"] = [
            {"label": name, "area": int(here.sum()), "segmentation": run_lengths(here)}
            for name, here in (
                (name, result.semantic == place) for place, name in enumerate(result.vocabulary)
            )
            if here.any()
        ]
    if result.segments is not None:
        ids, info = result.segments
        whole["segments"] = [
            {**segment, "score": _number(segment["score"]), "segmentation": run_lengths(ids == segment["id"])}
            for segment in info
        ]
    return whole


def _number(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None

"""Agreement of two masks."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["contained", "iou", "overlap"]

Mask = NDArray[np.bool_]


def overlap(a: Mask, b: Mask, ignore: Mask | None = None) -> tuple[int, int]:
    """Pixels of intersection and of union of two (H, W) masks, ignored pixels left out."""
    if ignore is not None:
        a, b = a & ~ignore, b & ~ignore
    return int(np.count_nonzero(a & b)), int(np.count_nonzero(a | b))


def iou(a: Mask, b: Mask, ignore: Mask | None = None) -> float:
    """Intersection over union of two (H, W) masks, ignored pixels left out; 1 if both are empty."""
    intersection, union = overlap(a, b, ignore)
    return intersection / union if union else 1.0


def contained(inner: Mask, outer: Mask) -> float:
    """The share of the pixels of `inner` (H, W) that lie in `outer`; 0 for an empty mask."""
    area = int(np.count_nonzero(inner))
    return int(np.count_nonzero(inner & outer)) / area if area else 0.0

"""Masks as COCO annotations: run lengths, boxes and areas."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from seemkit.prompting.arrays import encode_rle

__all__ = ["CocoAnnotation", "RunLengths", "mask_box", "run_lengths"]


class RunLengths(TypedDict):
    """COCO compressed run lengths of a mask, column by column."""

    size: list[int]
    counts: str


class CocoAnnotation(TypedDict):
    """One mask, as COCO's annotations and results have it, in pixels of the original image.

    ``bbox`` is [x, y, width, height]; ``category_id`` counts the vocabulary from 1, and 0 is a mask without
    label; ``object`` is seemkit's addition: the object that the mask answers.
    """

    id: int
    image_id: int
    category_id: int
    category_name: str | None
    object: str
    segmentation: RunLengths
    bbox: list[float]
    area: int
    score: float
    iscrowd: int


def run_lengths(mask: NDArray[np.bool_]) -> RunLengths:
    """COCO compressed run lengths of a mask (H, W)."""
    rle = encode_rle(mask)
    return {"size": rle["size"], "counts": rle["counts"]}


def mask_box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """(x, y, width, height) of the smallest box around a mask (H, W); zeros if it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return 0, 0, 0, 0
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1

"""Masks as COCO writes them: polygons and run lengths, refused in a sentence before anything is rasterised."""

import math
from typing import Any

from seemkit import api

__all__ = ["box_of", "read_segmentation"]


def read_segmentation(given: Any, size: tuple[int, int]) -> api.MaskSource:
    """What gives the mask (H, W) of a `segmentation`.

    Raises:
        SeemkitError: it is broken; the sentence says how.
    """
    if isinstance(given, dict):
        return _run_lengths(given, size)
    if not isinstance(given, list) or not given:
        raise api.SeemkitError("its segmentation is empty, expected polygons or run lengths")
    polygons = []
    for place, polygon in enumerate(given):
        if not isinstance(polygon, list) or len(polygon) % 2 or len(polygon) < 6:
            count = f"{len(polygon)} numbers" if isinstance(polygon, list) else type(polygon).__name__
            raise api.SeemkitError(
                f"its polygon {place} is broken: {count}, expected x and y of three corners at least"
            )
        if not all(isinstance(x, int | float) and math.isfinite(x) for x in polygon):
            raise api.SeemkitError(f"its polygon {place} is broken: it holds what is no finite number")
        polygons.append(tuple(map(float, polygon)))
    return api.PolygonMask(size, tuple(polygons))


def _run_lengths(given: dict[str, Any], size: tuple[int, int]) -> api.MaskSource:
    counts, shape = given.get("counts"), given.get("size")
    if not isinstance(shape, list) or tuple(shape) != size:
        raise api.SeemkitError(f"its run lengths are for {shape} pixels, the picture has {list(size)}")
    if isinstance(counts, list) and all(isinstance(n, int) and n >= 0 for n in counts):
        mask = api.RunLengthMask(size, tuple(counts))
        if not mask.fills:
            raise api.SeemkitError(f"its run lengths cover {sum(counts)} of {size[0] * size[1]} pixels")
        return mask
    if isinstance(counts, str) and counts:
        mask = api.RunLengthMask(size, counts)
        if not mask.fills:  # it would fail where it is decoded, and its picture with it
            said = f"its run lengths are broken: the text does not decode to {size[0]} x {size[1]} pixels"
            raise api.SeemkitError(said)
        return mask
    raise api.SeemkitError("its run lengths are neither a text nor a list of whole numbers")


def box_of(given: Any) -> tuple[float, float, float, float] | None:
    """(x1, y1, x2, y2) of x, y, width and height; None if they are not four numbers."""
    if not isinstance(given, list) or len(given) != 4 or not all(isinstance(x, int | float) for x in given):
        return None
    x, y, width, height = map(float, given)
    return x, y, x + width, y + height

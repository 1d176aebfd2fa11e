"""A small drawing of the pixels that a spatial prompt selects, as SVG within a page."""

import numpy as np
from numpy.typing import NDArray

from seemkit.geometry.grid import Grid
from seemkit.prompting.prompt import SpatialPrompt

__all__ = ["region_picture"]

SIZE = (48, 64)
"""(H, W) of the image that the example of a prompt is valid on."""
CELL = 5
"""Side of a pixel in the drawing."""


def region_picture(kind: type[SpatialPrompt]) -> str | None:
    """What the example of `kind` selects on an image of 64 x 48 pixels; None if it cannot be made."""
    try:
        region = kind.example().region(Grid(*SIZE))
        mask, extent = region.mask, region.kind == "extent"
    except Exception:  # of a plugin
        return None
    if mask.shape != SIZE:
        return None
    height, width = SIZE
    said = "the object lies within" if extent else "pixels of the object"
    return (
        f'<svg class="region" viewBox="0 0 {width * CELL} {height * CELL}" width="{width * CELL}" role="img" '
        f'aria-label="{said}">'
        f'<rect width="100%" height="100%" class="region-image"/>'
        f'<path class="region-{region.kind}" d="{_path(mask)}"/></svg>'
    )


def _path(mask: NDArray[np.bool_]) -> str:
    """The selected pixels as rectangles, one for each run of a row."""
    parts = []
    for y, row in enumerate(mask):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
        for start, end in edges.reshape(-1, 2).tolist():
            parts.append(f"M{start * CELL} {y * CELL}h{(end - start) * CELL}v{CELL}H{start * CELL}z")
    return "".join(parts)

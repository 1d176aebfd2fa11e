"""A class for every pixel, of photos of any size: classes times masks, for some rows of pixels at a time.

Source: SEEM's semantic inference, after Cheng et al., Mask2Former, CVPR 2022: masks are enlarged to the original
size (antialiased bicubic) before a class wins a pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from seemkit.geometry.grid import Grid
    from seemkit.pipeline.everything import Rows

__all__ = ["semantic_bands", "semantic_map"]

AT_ONCE = 131_072
"""Pixels of which there are planes at once: one plane a query, and one a class."""


def semantic_map(rows: Rows, grid: Grid, padded: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The class (H, W) that wins each pixel of the original image, and its sum of chances (H, W)."""
    height, width = grid.original
    winner = torch.empty(height, width, dtype=torch.int64, device=rows.logits.device)
    best = rows.logits.new_empty(height, width)
    start = 0
    for planes in semantic_bands(rows, grid, padded):
        band = slice(start, start + planes.shape[1])
        best[band], winner[band] = planes.max(0)
        start = band.stop
    return winner, best


def semantic_bands(rows: Rows, grid: Grid, padded: tuple[int, int]) -> Iterator[Tensor]:
    """Classes times masks (K, b, W) of the original image, b rows of pixels after b rows, from the top."""
    chances = rows.probabilities[:, :-1].T  # K x Q
    height, width = grid.original
    down = enlarging(rows.logits.shape[-2], grid, padded).to(rows.logits)  # H x h
    step = max(1, AT_ONCE // width)
    for start in range(0, height, step):
        some = down[start : start + step]
        read = some.any(0).nonzero()
        first, last = int(read[0]), int(read[-1]) + 1
        wide = widened(rows.logits[:, first:last], grid, padded)  # Q x r x W
        masks = (some[:, first:last] @ wide).sigmoid_()  # Q x b x W
        yield (chances @ masks.flatten(1)).view(len(chances), -1, width)


def enlarging(cells: int, grid: Grid, padded: tuple[int, int]) -> Tensor:
    """(H, h): how rows of the original image are mixed of h rows of cells at stride 4.

    As :func:`seemkit.pipeline.upscale.upscale` enlarges: bilinear to the padded input, cropped, then antialiased
    bicubic. Both act on rows and columns apart, so that a unit matrix shows what they do to rows.
    """
    mixed = torch.eye(cells)[None, None]
    mixed = functional.interpolate(mixed, size=(padded[0], cells), mode="bilinear", align_corners=False)
    return to_original(mixed[:, :, : grid.height], grid, (grid.original[0], cells))[0, 0]


def widened(logits: Tensor, grid: Grid, padded: tuple[int, int]) -> Tensor:
    """Logits (Q, r, w) at stride 4 to (Q, r, W): the columns of the original image, the rows as they are."""
    rows = logits.shape[-2]
    wide = functional.interpolate(logits[None], size=(rows, padded[1]), mode="bilinear", align_corners=False)
    return to_original(wide[..., : grid.width], grid, (rows, grid.original[1]))[0]


def to_original(x: Tensor, grid: Grid, size: tuple[int, int]) -> Tensor:
    """(1, C, h, w) to `size`, unless the original image is of the size of the input."""
    if grid.original == grid.size:
        return x
    return functional.interpolate(x, size=size, mode="bicubic", align_corners=False, antialias=True)

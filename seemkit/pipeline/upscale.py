"""Mask logits at stride 4 back to the original image."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from seemkit.geometry.grid import Grid

__all__ = ["mask_scores", "masks_and_scores", "upscale"]

AT_ONCE = 1_000_000
"""Pixels of masks that are enlarged at once: they stay in the processor's cache, and memory bounded."""


def masks_and_scores(logits: Tensor, grid: Grid, padded: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Masks (N, H, W) bool at the original size and their scores (N,), of logits (N, h, w) at stride 4.

    Their logits at the original size, four bytes a pixel, are there for a few masks at a time.
    """
    masks = torch.empty(len(logits), *grid.original, dtype=torch.bool, device=logits.device)
    scores = logits.new_empty(len(logits))
    some = max(1, AT_ONCE // (grid.original[0] * grid.original[1]))
    for start in range(0, len(logits), some):
        part = slice(start, start + some)
        full = upscale(logits[part], grid, padded)
        torch.gt(full, 0, out=masks[part])
        scores[part] = mask_scores(full)
    return masks, scores


def upscale(
    logits: Tensor, grid: Grid, padded: tuple[int, int], mode: Literal["bilinear", "bicubic"] = "bilinear"
) -> Tensor:
    """Logits (N, h, w) at stride 4 to (N, H, W) of the original image.

    Bilinear to the padded input, cropped to the picture, then `mode` to the original size: bilinear for
    answers to prompts, antialiased bicubic for everything, as SEEM evaluates both.
    """
    full = functional.interpolate(logits[None], size=padded, mode="bilinear", align_corners=False)
    full = full[..., : grid.height, : grid.width]
    if grid.original != grid.size:
        full = functional.interpolate(
            full, size=grid.original, mode=mode, align_corners=False, antialias=mode == "bicubic"
        )
    return full[0]


def mask_scores(logits: Tensor) -> Tensor:
    """Mean mask probability inside the mask (N,), of logits (N, H, W); 0 for an empty mask."""
    inside = logits > 0
    total = (logits.sigmoid() * inside).nan_to_num_(0).flatten(1).sum(1)
    return total / inside.flatten(1).count_nonzero(1).clamp(min=1)

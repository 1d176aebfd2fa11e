"""Mask logits at stride 4 back to the original image."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from seemkit.geometry.grid import Grid

__all__ = ["mask_scores", "upscale"]


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
    total = torch.where(inside, logits.sigmoid(), 0.0).flatten(1).sum(1)
    return total / inside.flatten(1).sum(1).clamp(min=1)

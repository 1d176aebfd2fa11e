"""Weights as 8-bit integers with a scale for each output channel: a quarter of the size of float32.

Rounding to the nearest of 255 steps of a channel's own range moves a weight by at most 1/254 of the channel's largest
(Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018, section 3: symmetric, per
channel). They are read as float32; nothing computes with integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SCALE", "from_bytes", "names_of", "to_bytes"]

SCALE = ":scale"
"""What the name of a weight's scales ends with."""
SMALLEST = 4096
"""Weights of fewer values stay as they are."""
LARGEST = 127


def to_bytes(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Large floating-point weights as int8 (O, ...) and their scales (O,) beside them; the others as they are."""
    import torch

    stored = {}
    for name, x in tensors.items():
        if x.dtype != torch.float32 or x.dim() < 2 or x.numel() < SMALLEST or not bool(x.isfinite().all()):
            stored[name] = x
            continue
        scale = x.flatten(1).abs().amax(1).clamp_min(torch.finfo(torch.float32).tiny) / LARGEST
        stored[name] = (x / _beside(scale, x)).round().clamp(-LARGEST, LARGEST).to(torch.int8)
        stored[name + SCALE] = scale
    return stored


def from_bytes(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of :func:`to_bytes`, up to rounding."""
    return {
        name: tensors[name].float() * _beside(tensors[name + SCALE], tensors[name])
        if name + SCALE in tensors
        else tensors[name]
        for name in names_of(tensors)
    }


def names_of(stored: Iterable[str]) -> list[str]:
    """Names of the weights themselves."""
    known = set(stored)
    return [name for name in stored if not (name.endswith(SCALE) and name.removesuffix(SCALE) in known)]


def _beside(scale: Tensor, x: Tensor) -> Tensor:
    return scale.float().view(-1, *[1] * (x.dim() - 1))

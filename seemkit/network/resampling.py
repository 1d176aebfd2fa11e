"""Feature maps at points, at another size, and in another memory format."""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["bilinear", "channels_last", "resize_features"]


def bilinear(feature: Tensor, xy: Tensor) -> Tensor:
    """Sample maps (B, C, h, w) at normalised points (B * n, T, 2), align_corners True: (B * n, T, C).

    Objects are laid out scene by scene; beyond the border there are zeros.
    """
    b, c, _, _ = feature.shape
    n, t, _ = xy.shape
    if n == 0 or t == 0:
        return feature.new_zeros(n, t, c)
    grid = (2 * xy - 1).view(b, n // b * t, 1, 2)
    out = functional.grid_sample(feature, grid, mode="bilinear", padding_mode="zeros", align_corners=True)
    return out.flatten(2).transpose(1, 2).reshape(n, t, c)


def resize_features(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Bilinear, align_corners False, no antialias: it commutes with dot products over channels."""
    if x.shape[-2:] == size:
        return x
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def channels_last(x: Tensor) -> Tensor:
    """The same maps (B, C, h, w) with channels innermost, which small and folded filters are faster with."""
    return x.contiguous(memory_format=torch.channels_last)

"""Feature maps at points, at another size, and in another memory format."""

import torch
from torch import Tensor
from torch.nn import functional

from seemkit.network.precision import at_least_single

__all__ = ["bilinear", "channels_last", "resize_features"]


def bilinear(feature: Tensor, xy: Tensor) -> Tensor:
    """Sample maps (B, C, h, w) at normalised points (B * n, T, 2), align_corners True: (B * n, T, C).

    Objects are laid out scene by scene; beyond the border there are zeros. Maps of less than single precision
    are sampled at places in single precision, and so are the values.
    """
    b, c, _, _ = feature.shape
    n, t, _ = xy.shape
    if n == 0 or t == 0:
        return at_least_single(feature.new_zeros(n, t, c))
    if feature.dtype != xy.dtype:
        return gather(feature, xy.view(b, n // b * t, 2)).reshape(n, t, c)
    grid = (2 * xy - 1).view(b, n // b * t, 1, 2)
    out = functional.grid_sample(feature, grid, mode="bilinear", padding_mode="zeros", align_corners=True)
    return out.flatten(2).transpose(1, 2).reshape(n, t, c)


def gather(feature: Tensor, xy: Tensor) -> Tensor:
    """The same for maps of another dtype than that of the points (B, T, 2), without a copy of the maps: (B, T, C)."""
    b, c, h, w = feature.shape
    cells = feature.flatten(2)  # B x C x hw
    x, y = xy[..., 0] * (w - 1), xy[..., 1] * (h - 1)
    left, top = x.floor(), y.floor()
    total = xy.new_zeros(b, xy.shape[1], c)
    for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
        share = (1 - (x - column).abs()) * (1 - (y - row).abs())
        inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
        place = row.clamp(0, h - 1).long() * w + column.clamp(0, w - 1).long()
        found = cells.gather(2, place[:, None].expand(-1, c, -1)).to(xy.dtype)  # B x C x T
        total = total + (found * (share * inside)[:, None]).transpose(1, 2)
    return total


def resize_features(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Bilinear, align_corners False, no antialias: it commutes with dot products over channels."""
    if x.shape[-2:] == size:
        return x
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def channels_last(x: Tensor) -> Tensor:
    """The same maps (B, C, h, w) with channels innermost, which small and folded filters are faster with."""
    return x.contiguous(memory_format=torch.channels_last)

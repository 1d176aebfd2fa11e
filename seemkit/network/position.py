"""The sine position encoding of feature maps, shared by the pixel decoder and the mask decoder."""

import math

import torch
from torch import Tensor

from seemkit.network.precision import at_least_single

__all__ = ["encode_points", "pixel_centres", "sine_position"]

TEMPERATURE = 10000.0
EPSILON = 1e-6


def sine_position(dim: int, h: int, w: int, like: Tensor) -> Tensor:
    """Encode the rows and columns of a feature map (Carion et al., DETR, with normalised coordinates).

    Row i of 1..h becomes the angle 2 pi i / (h + 1e-6), divided by 10000 ** (2 floor(k / 2) / (C / 2)) for
    channel k; sine at even k, cosine at odd k. The first half of the channels is of the row, the second of
    the column.

    Args:
        dim: C, a multiple of 4.
        h: rows of the map.
        w: columns of the map.
        like: a tensor that gives device and dtype; the result is in single precision at least.

    Returns:
        (C, h, w)
    """
    if dim % 4:
        raise ValueError(f"the sine position encoding needs a width that is a multiple of 4, not {dim}")
    half = dim // 2
    channel = torch.arange(half, dtype=at_least_single(like.new_empty(0)).dtype, device=like.device)
    period = TEMPERATURE ** (2 * (channel // 2) / half)
    rows = encode_axis(h, period).T[:, :, None].expand(half, h, w)
    columns = encode_axis(w, period).T[:, None, :].expand(half, h, w)
    return torch.cat((rows, columns))


def encode_axis(n: int, period: Tensor) -> Tensor:
    """(n, C / 2) interleaved sines and cosines of the positions 1..n."""
    place = torch.arange(1, n + 1, dtype=period.dtype, device=period.device)
    angle = (place / (n + EPSILON) * (2 * math.pi))[:, None] / period
    return torch.stack((angle[:, 0::2].sin(), angle[:, 1::2].cos()), dim=-1).flatten(1)


def encode_points(dim: int, xy: Tensor) -> Tensor:
    """The same encoding at continuous points.

    Args:
        dim: C, a multiple of 4.
        xy: (..., 2) as (x, y), normalised to [0, 1] over the padded input.

    Returns:
        (..., C)
    """
    half = dim // 2
    channel = torch.arange(half, dtype=xy.dtype, device=xy.device)
    period = TEMPERATURE ** (2 * (channel // 2) / half)
    angle = xy[..., None] * (2 * math.pi) / period  # ... x 2 x C/2
    waves = torch.stack((angle[..., 0::2].sin(), angle[..., 1::2].cos()), dim=-1).flatten(-2)
    return torch.cat((waves[..., 1, :], waves[..., 0, :]), dim=-1)


def pixel_centres(h: int, w: int, like: Tensor) -> Tensor:
    """(h * w, 2) centres of the cells of a map as (x, y), normalised to [0, 1]."""
    rows = (torch.arange(h, dtype=like.dtype, device=like.device) + 0.5) / h
    columns = (torch.arange(w, dtype=like.dtype, device=like.device) + 0.5) / w
    grid = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack((grid[1], grid[0]), dim=-1).flatten(0, 1)

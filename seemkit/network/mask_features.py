"""Mask features that are never computed whole unless all of them are wanted.

Mask features F = W * y + b are a convolution of a map y at stride 4. A round wants them at the sizes of the
levels, at a few points, and dotted with a few mask embeddings; each of these is linear in F, so it is taken of y
with a convolution that is folded accordingly. The results are equal up to rounding; for a photo of 1024 pixels
the whole of F would be 134 MB and 309 GFLOP.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from seemkit.network.precision import at_least_single, full_precision
from seemkit.network.resampling import bilinear, channels_last, resize_features

__all__ = ["MaskFeatures", "dot"]

WHOLE_SHARE = 0.5
"""From this many masks on, as a share of the channels, all of F costs less than the masks one by one."""
MASKS = 16
"""So many masks are made in one go, which bounds the memory that they take meanwhile."""


@dataclass(frozen=True, eq=False)
class MaskFeatures:
    """F = W * fine + b for B images.

    Attributes:
        fine: y, (B, D, h, w) at stride 4 of the padded input. It may be kept in half precision: whatever is made of
            it is single precision, but for `resized` under autocast.
        weight: W, (C, D, k, k) with odd k, applied with zero padding; None if `fine` is F itself.
        bias: b, (C,); None for zero.
    """

    fine: Tensor
    weight: Tensor | None = None
    bias: Tensor | None = None
    _kept: list[Tensor] = field(default_factory=list, repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """(h, w)."""
        return self.fine.shape[-2], self.fine.shape[-1]

    @property
    def batch(self) -> int:
        """B."""
        return self.fine.shape[0]

    @property
    def channels(self) -> int:
        """C."""
        return self.fine.shape[1] if self.weight is None else self.weight.shape[0]

    @property
    def whole(self) -> Tensor:
        """F, (B, C, h, w), kept from the first time on."""
        if self.weight is None:
            return self.fine
        kept = self._kept
        if not kept or (self._learns and not kept[0].requires_grad):
            with full_precision(self.fine.device):
                kept[:] = [functional.conv2d(self._map, self.weight, self.bias, padding=self._reach)]
        return kept[0]

    def pick(self, rows: list[int]) -> "MaskFeatures":
        """Those of some of the images; F is not made again where it is there."""
        kept = [self._kept[0][rows]] if self._kept else []
        return MaskFeatures(self.fine[rows], self.weight, self.bias, kept)

    def resized(self, sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
        """F at other sizes, each (B, C, *size): bilinear, align_corners False, no antialias.

        By an even whole number s this is a mean of 2 x 2 cells every s cells. Means and convolution commute, so
        that the means of y, made once, are convolved at those cells only.
        """
        steps = [self.size[0] // size[0] for size in sizes]
        exact = all(
            step % 2 == 0 and (size[0] * step, size[1] * step) == self.size
            for step, size in zip(steps, sizes, strict=True)
        )
        if self.weight is None or not exact or self._is_whole:
            return [resize_features(self.whole, size) for size in sizes]
        padded = channels_last(functional.pad(self.fine, [self._reach] * 4))
        means = functional.avg_pool2d(padded, 2, stride=1)
        kernel = channels_last(self.weight)
        return [
            functional.conv2d(means[..., step // 2 - 1 :, step // 2 - 1 :], kernel, self.bias, stride=step)[
                ..., : size[0], : size[1]
            ].contiguous()
            for step, size in zip(steps, sizes, strict=True)
        ]

    def mean_at(self, xy: Tensor, weights: Tensor) -> Tensor:
        """Weighted sums of F at points: xy (N, T, 2) in [0, 1], weights (N, T) that sum to 1 or are all 0; (N, C).

        Sampled bilinearly with align_corners True. N = B * n objects, image by image. Where all weights are 0
        the sum is 0.
        """
        reach, (h, w) = self._reach, self.size
        if self.weight is None or self._is_whole or min(h, w) == 1:  # along one cell no step can be taken
            return (bilinear(self.whole, xy) * weights[..., None]).sum(1)
        taps = []
        for dy in range(-reach, reach + 1):
            for dx in range(-reach, reach + 1):
                moved = torch.stack((xy[..., 0] + dx / (w - 1), xy[..., 1] + dy / (h - 1)), dim=-1)
                taps.append((bilinear(self.fine, moved) * weights[..., None]).sum(1))  # N x D
        out = torch.stack(taps, dim=-1).flatten(1) @ self.weight.flatten(1).T  # N x C
        return out if self.bias is None else out + self.bias * weights.sum(1, keepdim=True)

    def mean_inside(self, inside: Tensor) -> Tensor:
        """(C,) mean of F of the one image over the cells of `inside` (h, w), 1 within and 0 without."""
        share = inside / inside.sum()
        if self.weight is None or self._is_whole:
            return at_least_single(self.whole[0]).flatten(1) @ share.flatten()
        k, reach = self.weight.shape[-1], self._reach
        # the cell q counts for the tap t as often as q - t lies inside
        near = functional.unfold(share[None, None], k, padding=reach)[0].flip(0)  # kk x hw
        sums = near @ self._map[0].flatten(1).T  # kk x D; the other way round takes ten times as long
        out = self.weight.flatten(1) @ sums.T.flatten()
        return out if self.bias is None else out + self.bias

    def dot(self, embeddings: Tensor) -> Tensor:
        """Dot products of F with embeddings (N, Q, C) of N = B * n objects, image by image: (N, Q, h, w)."""
        n, q, _ = embeddings.shape
        each = n // self.batch * q  # masks an image
        if self.weight is None or self._is_whole or each >= WHOLE_SHARE * self.channels:
            return dot(at_least_single(self.whole), embeddings)
        kernels = (embeddings.reshape(self.batch * each, -1) @ self.weight.flatten(1)).view(
            self.batch, each, *self.weight.shape[1:]
        )
        masks = torch.stack(
            [
                torch.cat([convolve(y, some) for some in kernel.split(MASKS)])
                for y, kernel in zip(self._map, kernels, strict=True)
            ]
        ).view(n, q, *self.size)
        return masks if self.bias is None else masks + (embeddings @ self.bias)[..., None, None]

    def in_single(self) -> "MaskFeatures":
        """The same with y in single precision at least, for those who make masks many times."""
        if self._map is self.fine:
            return self
        return MaskFeatures(self._map, self.weight, self.bias, self._kept)

    @property
    def _map(self) -> Tensor:
        """y in single precision at least."""
        return at_least_single(self.fine)

    @property
    def _reach(self) -> int:
        return 0 if self.weight is None else self.weight.shape[-1] // 2

    @property
    def _is_whole(self) -> bool:
        """Whether F is there already, or training will want all of it."""
        return bool(self._kept) or self._learns

    @property
    def _learns(self) -> bool:
        given = (self.fine, self.weight, self.bias)
        return torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in given)


def dot(features: Tensor, embeddings: Tensor) -> Tensor:
    """Dot products of embeddings (N, Q, C) with features (B, C, h, w), N = B * n: (N, Q, h, w)."""
    b, c, h, w = features.shape
    n, q, _ = embeddings.shape
    if b == 1:
        return (embeddings.reshape(n * q, c) @ features.reshape(c, h * w)).view(n, q, h, w)
    return (embeddings.reshape(b, -1, c) @ features.reshape(b, c, h * w)).view(n, q, h, w)


def convolve(fine: Tensor, kernels: Tensor) -> Tensor:
    """Few filters (Q, D, k, k) over one map (D, h, w), zero-padded: (Q, h, w).

    One matrix product gives each tap's share of every cell, and shifted sums do the rest: for a filter or three
    this reads the map once, where a convolution is written for many.
    """
    q, _, k, _ = kernels.shape
    h, w = fine.shape[-2:]
    shares = (kernels.permute(2, 3, 0, 1).flatten(0, 2) @ fine.flatten(1)).view(k, k, q, h, w)
    out = shares[k // 2, k // 2].clone()
    for row in range(k):
        for column in range(k):
            down, right = row - k // 2, column - k // 2  # how far from a cell the tap reads
            if (down, right) != (0, 0):
                here = out[:, max(-down, 0) : max(h - down, 0), max(-right, 0) : max(w - right, 0)]
                there = shares[
                    row, column, :, max(down, 0) : max(h + down, 0), max(right, 0) : max(w + right, 0)
                ]
                here += there
    return out

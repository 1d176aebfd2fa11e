"""What the decoder makes of a scene once, whatever is asked of it: keys, values and resized mask features."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

__all__ = ["PreparedScene", "resize_features"]


@dataclass(frozen=True, eq=False)
class PreparedScene:
    """Per-scene work of the decoder, done once.

    Attributes:
        levels: three maps (B, C, h, w) at strides 32, 16, 8, with the level embedding added.
        mask_features: (B, C, H/4, W/4), with the position term where the preset has one.
        small: mask features resized to the size of each level, (B, C, h, w).
        keys: of each layer's cross-attention, (B, heads, hw, C / heads).
        values: likewise.
    """

    levels: tuple[Tensor, ...]
    mask_features: Tensor
    small: tuple[Tensor, ...]
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    @property
    def batch(self) -> int:
        """B, how many scenes lie side by side."""
        return self.mask_features.shape[0]

    def spread(self, x: Tensor, cells: int) -> Tensor:
        """Repeat a per-scene tensor (B, ...) for `cells` objects, B * n in order; one scene is not copied."""
        if x.shape[0] == 1:
            return x.expand(cells, *x.shape[1:])
        return x.repeat_interleave(cells // x.shape[0], dim=0)

    def dot(self, features: Tensor, embeddings: Tensor) -> Tensor:
        """Dot products of embeddings (N, Q, C) with features (B, C, h, w): (N, Q, h, w)."""
        b, c, h, w = features.shape
        n, q, _ = embeddings.shape
        if b == 1:
            return (embeddings.reshape(n * q, c) @ features.reshape(c, h * w)).view(n, q, h, w)
        return (embeddings.reshape(b, -1, c) @ features.reshape(b, c, h * w)).view(n, q, h, w)


def resize_features(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Bilinear, align_corners False, no antialias: it commutes with dot products over channels."""
    if x.shape[-2:] == size:
        return x
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)

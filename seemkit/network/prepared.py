"""What the decoder makes of a scene once, whatever is asked of it: keys, values and resized mask features."""

from dataclasses import dataclass

from torch import Tensor

from seemkit.network.mask_features import MaskFeatures, dot

__all__ = ["PreparedScene"]


@dataclass(frozen=True, eq=False)
class PreparedScene:
    """Per-scene work of the decoder, done once.

    Attributes:
        levels: three maps (B, C, h, w) at strides 32, 16, 8, with the level embedding added.
        mask_features: at stride 4, with the position term where the preset has one.
        small: mask features resized to the size of each level, (B, C, h, w).
        keys: of each layer's cross-attention, (B, heads, hw, C / heads).
        values: likewise.
        meaning: (B, M, h, w) at stride 16, what names are read from; None where there is no such map.
        nearer: the same by a closer look, for what is asked for by names; None where nobody looked closer.
    """

    levels: tuple[Tensor, ...]
    mask_features: MaskFeatures
    small: tuple[Tensor, ...]
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    meaning: Tensor | None = None
    nearer: Tensor | None = None

    @property
    def batch(self) -> int:
        """B, how many scenes lie side by side."""
        return self.mask_features.batch

    def spread(self, x: Tensor, cells: int) -> Tensor:
        """Repeat a per-scene tensor (B, ...) for `cells` objects, B * n in order; that of one scene is shared."""
        if x.shape[0] == 1:
            return x
        return x.repeat_interleave(cells // x.shape[0], dim=0)

    def small_logits(self, level: int, embeddings: Tensor) -> Tensor:
        """Mask logits (N, Q, h, w) at the size of a level, of mask embeddings (N, Q, C)."""
        return dot(self.small[level], embeddings)

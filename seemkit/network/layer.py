"""One decoder layer: cross-attention to the image, self-attention among rows, feed-forward; post-norm."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from seemkit.network.attention import Attention

__all__ = ["DecoderLayer"]


class DecoderLayer(nn.Module):
    """The parts of one layer (Cheng et al., Mask2Former, CVPR 2022, section 3.2); the decoder wires them.

    Args:
        dim: C, width of the rows.
        heads: attention heads.
        ffn: hidden width of the feed-forward part.
    """

    def __init__(self, dim: int, heads: int, ffn: int) -> None:
        super().__init__()
        self.cross_attn = Attention(dim, heads)
        self.cross_norm = nn.LayerNorm(dim)
        self.self_attn = Attention(dim, heads)
        self.self_norm = nn.LayerNorm(dim)
        self.ffn = nn.ModuleDict({"fc1": nn.Linear(dim, ffn), "fc2": nn.Linear(ffn, dim)})
        self.ffn_norm = nn.LayerNorm(dim)

    def look(
        self, x: Tensor, position: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None
    ) -> Tensor:
        """Rows (N, R, C) read the image; `allowed` (N, R, hw)."""
        out: Tensor = self.cross_norm(x + self.cross_attn.read(x + position, keys, values, allowed))
        return out

    def talk(
        self,
        x: Tensor,
        position: Tensor,
        extra: Tensor | None,
        extra_position: Tensor | None,
        allowed: Tensor | None,
    ) -> Tensor:
        """Rows (N, R, C) read each other and `extra` rows (N, S, C) that only act as keys and values."""
        placed = x + position
        key, value = placed, x
        if extra is not None and extra_position is not None:
            key = torch.cat((placed, extra + extra_position), dim=1)
            value = torch.cat((x, extra), dim=1)
        out: Tensor = self.self_norm(x + self.self_attn(placed, key, value, allowed))
        return out

    def think(self, x: Tensor) -> Tensor:
        """The feed-forward part on rows (N, R, C)."""
        out: Tensor = self.ffn_norm(x + self.ffn["fc2"](functional.relu(self.ffn["fc1"](x))))
        return out

"""The deformable pixel decoder: one transformer over three levels at once, then one step of a pyramid.

Zhu et al., Deformable DETR, ICLR 2021, as Cheng et al., Mask2Former, CVPR 2022, put it between backbone and
mask decoder. Plain `grid_sample` does the sampling: nothing has to be compiled, and it runs everywhere.
"""

from collections.abc import Sequence
from typing import Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from seemkit.components import BackboneShape, PixelFeatures
from seemkit.network.deformable_attention import DeformableAttention, cell_centres
from seemkit.network.pixel_decoder import NormedConv, init_weights
from seemkit.network.position import sine_position
from seemkit.network.precision import full_precision

__all__ = ["Deform", "DeformPixelDecoder"]

STRIDES = (4, 8, 16, 32)
LEVELS = 3


class Deform:
    """Deformable attention over three levels, as in SEEM with SAM's ViT; always in float32."""

    class Options(BaseModel):
        """Defaults are those of the published SEEM models."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        dim: int = Field(512, ge=4, description="C, channels of the levels and of the mask features")
        encoder_layers: int = Field(6, ge=0, description="transformer layers over strides 32, 16 and 8")
        heads: int = Field(8, ge=1, description="attention heads of a transformer layer")
        points: int = Field(4, ge=1, description="places that a head reads on each level")
        ffn: int = Field(1024, ge=1, description="hidden width of a transformer layer")
        groups: int = Field(32, ge=1, description="groups of the group norms")

        @model_validator(mode="after")
        def check_divisions(self) -> Self:
            """The width has to split into heads, groups and the four parts of the position encoding."""
            for what, parts in (("heads", self.heads), ("groups", self.groups), ("position encoding", 4)):
                if self.dim % parts:
                    raise ValueError(f"dim {self.dim} does not split into {parts} ({what})")
            return self

    @staticmethod
    def declare(options: Options) -> int:
        """C, the channels of everything it gives; builds nothing."""
        return options.dim

    @staticmethod
    def build(options: Options, shape: BackboneShape) -> "DeformPixelDecoder":
        """Return the pixel decoder for features of these channels; their strides have to be 4, 8, 16, 32."""
        if tuple(shape.strides) != STRIDES:
            raise ValueError(
                f"the deform pixel decoder takes features at strides {STRIDES}, not {shape.strides}"
            )
        return DeformPixelDecoder(options, shape.channels)


class DeformPixelDecoder(nn.Module):
    """Four backbone maps to :class:`PixelFeatures`, in float32 whatever the maps are and under autocast too.

    `mask_proj` is not applied: who wants mask features asks :class:`seemkit.network.mask_features.MaskFeatures`,
    which computes no more of them than are wanted.
    """

    def __init__(self, options: Deform.Options, channels: Sequence[int]) -> None:
        super().__init__()
        dim = options.dim
        self.in_proj = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, dim, 1), nn.GroupNorm(options.groups, dim)) for c in channels[:0:-1]
        )
        self.level_embed = nn.Parameter(torch.randn(LEVELS, dim))
        self.encoder = nn.ModuleList(DeformableLayer(options) for _ in range(options.encoder_layers))
        self.lateral = nn.ModuleList([NormedConv(channels[0], dim, 1, options.groups)])
        self.output = nn.ModuleList([NormedConv(dim, dim, 3, options.groups)])
        self.mask_proj = nn.Conv2d(dim, dim, 1)
        for module in (self.in_proj, self.lateral, self.output, self.mask_proj):
            module.apply(init_weights)

    def forward(self, features: Sequence[Tensor]) -> PixelFeatures:
        """Decode.

        Args:
            features: four maps (B, C_i, H / s_i, W / s_i) at strides 4, 8, 16, 32.
        """
        levels = self.levels(features)
        return PixelFeatures(levels=levels, fine=self.fine(features, levels[2]))

    def levels(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """(B, C, h, w) at strides 32, 16 and 8, from the backbone's maps."""
        with full_precision(features[0].device):  # sampling places are too coarse in half precision
            maps = [layer(x.float()) for layer, x in zip(self.in_proj, features[:0:-1], strict=True)]
            coarse, middle, fine = self.encode(maps)
        return coarse, middle, fine

    def fine(self, features: Sequence[Tensor], finest_level: Tensor) -> Tensor:
        """(B, C, H / 4, W / 4), which `mask_proj` makes mask features of; `finest_level` is at stride 8."""
        with full_precision(features[0].device):
            side = self.lateral[0](features[0].float())
            up = functional.interpolate(
                finest_level.float(), size=side.shape[-2:], mode="bilinear", align_corners=False
            )
            return functional.relu(self.output[0](side + up))

    def encode(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Three maps (B, C, h, w), coarsest first, through the transformer, with positions."""
        b, c = maps[0].shape[:2]
        sizes = [(int(x.shape[-2]), int(x.shape[-1])) for x in maps]
        position = torch.cat(
            [
                sine_position(c, h, w, like=x).flatten(1).T + embed  # hw x C
                for x, (h, w), embed in zip(maps, sizes, self.level_embed, strict=True)
            ]
        )
        centres = cell_centres(sizes, like=maps[0])
        tokens = torch.cat([x.flatten(2).transpose(1, 2) for x in maps], dim=1)  # B x S x C
        for layer in self.encoder:
            tokens = layer(tokens, position, centres, sizes)
        parts = torch.split(tokens, [h * w for h, w in sizes], dim=1)
        return [x.transpose(1, 2).reshape(b, c, *size) for x, size in zip(parts, sizes, strict=True)]


class DeformableLayer(nn.Module):
    """Deformable self-attention and feed-forward, each normalised after the residual sum."""

    def __init__(self, options: Deform.Options) -> None:
        super().__init__()
        dim = options.dim
        self.self_attn = DeformableAttention(dim, options.heads, LEVELS, options.points)
        self.norm1 = nn.LayerNorm(dim)
        self.linear1 = nn.Linear(dim, options.ffn)
        self.linear2 = nn.Linear(options.ffn, dim)
        self.norm2 = nn.LayerNorm(dim)
        for layer in (self.linear1, self.linear2):
            init_weights(layer)

    def forward(
        self, x: Tensor, position: Tensor, centres: Tensor, sizes: Sequence[tuple[int, int]]
    ) -> Tensor:
        """(B, S, C) to the same; position (S, C) is added to queries, never to values."""
        x = self.norm1(x + self.self_attn(x + position, x, centres, sizes))
        out: Tensor = self.norm2(x + self.linear2(functional.relu(self.linear1(x))))
        return out

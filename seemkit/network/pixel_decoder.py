"""The FPN pixel decoder: backbone features to three levels for the mask decoder and the mask features.

A transformer reads the coarsest map, a feature pyramid carries it up (Zou et al., X-Decoder, CVPR 2023, after
Cheng et al., MaskFormer, NeurIPS 2021).
"""

from collections.abc import Sequence
from typing import cast

from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from seemkit.components import BackboneShape, PixelFeatures
from seemkit.network.folded_merge import folded_merge, pays
from seemkit.network.meaning import Closer, Meaning
from seemkit.network.position import sine_position

__all__ = ["FPN", "FPNPixelDecoder"]

STRIDES = (4, 8, 16, 32)


class FPN:
    """Feature pyramid with a transformer on the coarsest level, as in SEEM with Focal or DaViT backbones."""

    class Options(BaseModel):
        """Defaults are those of every published SEEM model."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        dim: int = Field(512, ge=4, description="C, channels of the levels and of the mask features")
        encoder_layers: int = Field(6, ge=0, description="transformer layers on the map at stride 32")
        heads: int = Field(8, ge=1, description="attention heads of a transformer layer")
        ffn: int = Field(2048, ge=1, description="hidden width of a transformer layer")
        groups: int = Field(32, ge=1, description="groups of the group norms")
        mask_kernel: int = Field(
            3, ge=1, description="kernel of the convolution that makes the mask features"
        )
        meaning: int = Field(
            0, ge=0, description="channels of a map of its own that names are read from; 0 makes none"
        )

        closer: int = Field(
            0,
            ge=0,
            le=8,
            strict=True,
            description="with `meaning`, read names that are asked for (texts, everything mode) from the photo so many "
            "times as large as the input, where the backbone can; 0 for never",
        )

        @model_validator(mode="after")
        def check_divisions(self) -> "FPN.Options":
            """The width has to split into heads, groups and the four parts of the position encoding."""
            for what, parts in (("heads", self.heads), ("groups", self.groups), ("position encoding", 4)):
                if self.dim % parts:
                    raise ValueError(f"dim {self.dim} does not split into {parts} ({what})")
            if self.mask_kernel % 2 == 0:
                raise ValueError(f"mask_kernel is {self.mask_kernel}, but has to be odd")
            return self

    @staticmethod
    def declare(options: Options) -> int:
        """C, the channels of everything it gives; builds nothing."""
        return options.dim

    @staticmethod
    def build(options: Options, shape: BackboneShape) -> "FPNPixelDecoder":
        """Return the pixel decoder for features of these channels; their strides have to be 4, 8, 16, 32."""
        if tuple(shape.strides) != STRIDES:
            raise ValueError(
                f"the fpn pixel decoder takes features at strides {STRIDES}, not {shape.strides}"
            )
        return FPNPixelDecoder(options, shape.channels, shape.closer if options.closer else ())


class FPNPixelDecoder(nn.Module):
    """Four backbone maps to :class:`PixelFeatures`.

    `mask_proj` is not applied: who wants mask features asks :class:`seemkit.network.mask_features.MaskFeatures`,
    which computes no more of them than are wanted.

    Attributes:
        meaning: makes the map that names are read from; None if there is none.
    """

    def __init__(self, options: FPN.Options, channels: Sequence[int], closer: Sequence[int] = ()) -> None:
        super().__init__()
        dim = options.dim
        self.in_proj = nn.Conv2d(channels[3], dim, 1)
        self.encoder = nn.ModuleList(
            EncoderLayer(dim, options.heads, options.ffn) for _ in range(options.encoder_layers)
        )
        self.lateral = nn.ModuleList(NormedConv(c, dim, 1, options.groups) for c in channels[:3])
        self.output = nn.ModuleList(NormedConv(dim, dim, 3, options.groups) for _ in range(4))
        self.mask_proj = nn.Conv2d(dim, dim, options.mask_kernel, padding=options.mask_kernel // 2)
        width = options.meaning
        self.meaning = Meaning(channels[2], channels[3], width, closer, options.closer) if width else None
        self.apply(init_weights)
        if self.meaning is not None:  # at first a closer look shows nothing new
            for look in self.meaning.closer:
                nn.init.zeros_(cast(Closer, look).mixed.weight)

    def forward(self, features: Sequence[Tensor]) -> PixelFeatures:
        """Decode.

        Args:
            features: four maps (B, C_i, H / s_i, W / s_i) at strides 4, 8, 16, 32.
        """
        levels = self.levels(features)
        meaning = None if self.meaning is None else self.meaning(features[2], features[3])
        return PixelFeatures(levels=levels, fine=self.fine(features, levels[2]), meaning=meaning)

    def levels(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """(B, C, h, w) at strides 32, 16 and 8, from the backbone's maps."""
        coarse = functional.relu(self.output[3](self.encode(self.in_proj(features[3]))))
        middle = self.merge(2, features[2], coarse)
        return coarse, middle, self.merge(1, features[1], middle)

    def fine(self, features: Sequence[Tensor], finest_level: Tensor) -> Tensor:
        """(B, C, H / 4, W / 4), which `mask_proj` makes mask features of; `finest_level` is at stride 8."""
        return self.merge(0, features[0], finest_level)

    def encode(self, x: Tensor) -> Tensor:
        """(B, C, h, w) through the transformer, with positions."""
        b, c, h, w = x.shape
        position = sine_position(c, h, w, like=x).flatten(1).T  # hw x C
        tokens = x.flatten(2).transpose(1, 2)  # B x hw x C
        for layer in self.encoder:
            tokens = layer(tokens, position)
        return tokens.transpose(1, 2).reshape(b, c, h, w)

    def merge(self, k: int, feature: Tensor, above: Tensor) -> Tensor:
        """Add the coarser map, nearest neighbour, to the lateral of level k, and convolve."""
        lateral, output = cast(NormedConv, self.lateral[k]), cast(NormedConv, self.output[k])
        if pays(lateral.conv, output.conv, feature, above):
            merged = folded_merge(lateral.conv, lateral.norm, output.conv, feature, above)
            return functional.relu_(output.norm(merged))
        side = lateral(feature)
        up = functional.interpolate(above, size=side.shape[-2:], mode="nearest")
        return functional.relu(output(side + up))


class NormedConv(nn.Module):
    """Convolution without bias, then group norm."""

    def __init__(self, inputs: int, outputs: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.GroupNorm(groups, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, D, h, w)."""
        out: Tensor = self.norm(self.conv(x))
        return out


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each normalised after the residual sum."""

    def __init__(self, dim: int, heads: int, ffn: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.norm1 = nn.LayerNorm(dim)
        self.linear1 = nn.Linear(dim, ffn)
        self.linear2 = nn.Linear(ffn, dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, position: Tensor) -> Tensor:
        """(B, T, C) to the same; position (T, C) is added to queries and keys, never to values."""
        placed = x + position
        # need_weights=False takes scaled_dot_product_attention
        x = self.norm1(x + self.self_attn(placed, placed, x, need_weights=False)[0])
        out: Tensor = self.norm2(x + self.linear2(functional.relu(self.linear1(x))))
        return out


def init_weights(module: nn.Module) -> None:
    """Initialise convolutions as He et al. 2015 (uniform), linear layers as Glorot; biases zero."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_uniform_(module.weight, a=1)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.MultiheadAttention):
        nn.init.xavier_uniform_(module.in_proj_weight)

"""The image encoder of Segment Anything: timm's trunk, and SEEM's own feature pyramid on its last map.

Kirillov et al., "Segment Anything", ICCV 2023; the pyramid after Li et al., ViTDet, ECCV 2022.
"""

from functools import partial
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from timm.models.vision_transformer_sam import VisionTransformerSAM
from torch import Tensor, nn

from seemkit.api import BackboneShape

__all__ = ["SamViT"]

PATCH = 16
Four = tuple[int, int, int, int]


class SamViT:
    """Segment Anything's ViT under SEEM's pyramid; takes one input size only, 1024 x 1024 as published."""

    class Options(BaseModel):
        """Defaults are ViT-B; ViT-L is width 1024, depth 24, heads 16, global_blocks 5 11 17 23."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        width: int = Field(768, ge=1, description="channels of a token")
        depth: int = Field(12, ge=1, description="blocks")
        heads: int = Field(12, ge=1, description="attention heads of a block")
        global_blocks: tuple[int, ...] = Field(
            (2, 5, 8, 11), description="blocks, counted from 0, that attend to the whole image"
        )
        window: int = Field(14, ge=1, description="side of the attention windows of the others, in tokens")
        image_size: int = Field(1024, ge=32, multiple_of=32, description="side of the input, in pixels")
        channels: Four = Field((128, 256, 512, 1024), description="of the four maps, finest first")
        drop_path: float = Field(
            0.0, ge=0, lt=1, description="stochastic depth of the last block, when training"
        )

        @model_validator(mode="after")
        def check_blocks(self) -> Self:
            """The width has to split into heads, and blocks that attend globally have to exist."""
            if self.width % self.heads:
                raise ValueError(f"width {self.width} does not split into {self.heads} heads")
            for block in self.global_blocks:
                if not 0 <= block < self.depth:
                    raise ValueError(f"global_blocks names block {block}, but they are 0 to {self.depth - 1}")
            if min(self.channels) < 1:
                raise ValueError(f"channels are {self.channels}, expected four numbers above 0")
            return self

    @staticmethod
    def declare(options: Options) -> BackboneShape:
        """Channels and strides of the four outputs, and the only input size; builds nothing."""
        size = options.image_size
        return BackboneShape(channels=options.channels, fixed_size=(size, size))

    @staticmethod
    def build(options: Options) -> nn.Module:
        """Return the network with freshly initialised weights."""
        return SamPyramid(options)


class SamPyramid(nn.Module):
    """Image to four maps at strides 4, 8, 16 and 32; parameter names of the trunk are timm's."""

    def __init__(self, options: SamViT.Options) -> None:
        super().__init__()
        self.size = options.image_size
        trunk = VisionTransformerSAM(
            img_size=options.image_size,
            patch_size=PATCH,
            embed_dim=options.width,
            depth=options.depth,
            num_heads=options.heads,
            norm_layer=partial(nn.LayerNorm, eps=1e-6),  # timm's default is 1e-5
            use_rel_pos=True,
            window_size=options.window,
            global_attn_indexes=options.global_blocks,
            neck_chans=0,
            drop_path_rate=options.drop_path,
            num_classes=0,
        )
        self.patch_embed, self.blocks, self.pos_embed = trunk.patch_embed, trunk.blocks, trunk.pos_embed
        self.neck = Neck(options.width, options.channels)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Encode.

        Args:
            image: (B, 3, S, S), normalised by the ImageNet mean and standard deviation; S is `image_size`.

        Returns:
            four maps (B, C_i, S / s_i, S / s_i).

        Raises:
            ValueError: the input has another size, for which there are no positions.
        """
        if image.shape[-2:] != (self.size, self.size):
            raise ValueError(f"sam_vit takes {self.size} x {self.size} pixels, not {tuple(image.shape[-2:])}")
        x = self.blocks(self.patch_embed(image) + self.pos_embed)  # B h w C
        maps: tuple[Tensor, ...] = self.neck(x.permute(0, 3, 1, 2))
        return maps


class Neck(nn.Module):
    """Four maps from the one at stride 16; names and numbers within a branch are the published ones."""

    def __init__(self, width: int, channels: Four) -> None:
        super().__init__()
        fine, half, same, coarse = channels
        a, b, c = max(2 * fine, width // 2), max(half, width // 2), max(coarse, 2 * width)
        self.down_4 = nn.Sequential(
            nn.ConvTranspose2d(width, a, 2, stride=2), nn.GroupNorm(1, a), nn.GELU(),
            nn.ConvTranspose2d(a, a // 2, 2, stride=2), nn.GroupNorm(1, a // 2),
            nn.Conv2d(a // 2, fine, 1), nn.GroupNorm(1, fine), nn.GELU(),
        )  # fmt: skip
        self.down_8 = nn.Sequential(
            nn.ConvTranspose2d(width, b, 2, stride=2), nn.GroupNorm(1, b),
            nn.Conv2d(b, half, 1), nn.GroupNorm(1, half), nn.GELU(),
        )  # fmt: skip
        self.down_16 = nn.Sequential(nn.Conv2d(width, same, 1), nn.GroupNorm(1, same), nn.GELU())
        self.down_32 = nn.Sequential(
            nn.Conv2d(width, c, 2, stride=2), nn.GroupNorm(1, c),
            nn.Conv2d(c, coarse, 1), nn.GroupNorm(1, coarse), nn.GELU(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, C, h, w) to four maps at 4, 2, 1 and half of its resolution."""
        return tuple(branch(x) for branch in (self.down_4, self.down_8, self.down_16, self.down_32))

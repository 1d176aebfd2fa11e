"""DaViT, dual attention over windows and over channels: timm's, in the form that SEEM was trained with.

Ding et al., "DaViT: Dual Attention Vision Transformers", ECCV 2022.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from timm.models.davit import DaVit
from torch import Tensor, nn

from seemkit.api import BackboneShape

__all__ = ["DaViT"]


class DaViT:
    """DaViT as SEEM trained it: timm's, with channel attention scaled by the number of tokens."""

    class Options(BaseModel):
        """Defaults are SEEM's d3; d5 is width 256, down_kernel 3."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        width: int = Field(128, ge=1, description="channels at stride 4; doubled at every stage")
        depths: tuple[int, int, int, int] = Field(
            (1, 1, 9, 1), description="pairs of blocks (spatial and channel) of each stage"
        )
        head_width: int = Field(32, ge=1, description="channels of an attention head, and of a channel group")
        window: int = Field(7, ge=1, description="side of an attention window, in cells")
        down_kernel: Literal[2, 3] = Field(2, description="kernel of the convolutions between stages")
        drop_path: float = Field(
            0.0, ge=0, lt=1, description="stochastic depth of the last block, when training"
        )

        @model_validator(mode="after")
        def check_heads(self) -> Self:
            """The width has to split into heads."""
            if self.width % self.head_width:
                raise ValueError(
                    f"width {self.width} does not split into heads of {self.head_width} channels (head_width)"
                )
            return self

    @staticmethod
    def declare(options: Options) -> BackboneShape:
        """Channels and strides of the four outputs; builds nothing."""
        c = options.width
        return BackboneShape(channels=(c, 2 * c, 4 * c, 8 * c))

    @staticmethod
    def build(options: Options) -> nn.Module:
        """Return the network with freshly initialised weights."""
        return DaViTStages(options)


class DaViTStages(nn.Module):
    """Image to the outputs of four stages at strides 4, 8, 16 and 32; parameter names are timm's.

    timm's registered models differ without an error: they scale channel attention by the width of a group
    instead of the number of tokens, or have other windows.
    """

    def __init__(self, options: DaViT.Options) -> None:
        super().__init__()
        widths = DaViT.declare(options).channels
        trunk = DaVit(
            embed_dims=widths,
            depths=options.depths,
            num_heads=tuple(width // options.head_width for width in widths),
            window_size=options.window,
            down_kernel_size=options.down_kernel,
            channel_attn_v2=True,
            named_blocks=True,
            drop_path_rate=options.drop_path,
            num_classes=0,
        )
        self.stem, self.stages = trunk.stem, trunk.stages

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Encode.

        Args:
            image: (B, 3, H, W), normalised by the ImageNet mean and standard deviation; the strides divide
                H and W.

        Returns:
            four maps (B, C_i, H / s_i, W / s_i), without a norm.
        """
        x = self.stem(image)
        outputs = []
        for stage in self.stages:
            x = stage(x)
            outputs.append(x)
        return tuple(outputs)

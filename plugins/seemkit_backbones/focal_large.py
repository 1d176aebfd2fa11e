"""FocalNet with plain blocks, the backbone of the published SEEM-L: timm's, with a norm on every output.

Yang et al., "Focal Modulation Networks", NeurIPS 2022. Not a larger `focal`: the blocks differ.
"""

from pydantic import BaseModel, ConfigDict, Field
from timm.models.focalnet import FocalNet
from torch import Tensor, nn

from seemkit.api import BackboneShape

__all__ = ["FocalLarge"]

STAGES = 4


class FocalLarge:
    """FocalNet with plain blocks as SEEM-L has it: timm's, with a LayerNorm on each of the four outputs."""

    class Options(BaseModel):
        """Defaults are SEEM-L."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        width: int = Field(192, ge=1, description="channels at stride 4; doubled at every stage")
        depths: tuple[int, int, int, int] = Field((2, 2, 18, 2), description="blocks of each stage")
        levels: int = Field(4, ge=1, description="focal levels of a block")
        window: int = Field(3, ge=1, description="kernel of the first focal level; each further level adds 2")
        layer_scale: float = Field(1e-4, description="initial value of the residual branch scales")
        drop_path: float = Field(
            0.0, ge=0, lt=1, description="stochastic depth of the last block, when training"
        )

    @staticmethod
    def declare(options: Options) -> BackboneShape:
        """Channels and strides of the four outputs; builds nothing."""
        c = options.width
        return BackboneShape(channels=(c, 2 * c, 4 * c, 8 * c))

    @staticmethod
    def build(options: Options) -> nn.Module:
        """Return the network with freshly initialised weights."""
        return NormedFocalNet(options)


class NormedFocalNet(nn.Module):
    """Image to four normalised feature maps at strides 4, 8, 16 and 32; parameter names are timm's.

    Two of timm's defaults are not SEEM's, and would change the features without an error: contexts are
    divided by their number (`normalize_modulator`), and each branch is normalised after, not before.
    """

    def __init__(self, options: FocalLarge.Options) -> None:
        super().__init__()
        trunk = FocalNet(
            embed_dim=options.width,
            depths=options.depths,
            focal_levels=(options.levels,) * STAGES,
            focal_windows=(options.window,) * STAGES,
            use_overlap_down=True,
            use_post_norm=True,
            layerscale_value=options.layer_scale,
            normalize_modulator=True,
            drop_path_rate=options.drop_path,
            num_classes=0,
        )
        self.stem, self.layers = trunk.stem, trunk.layers
        self.out_norms = nn.ModuleList(nn.LayerNorm(width) for width in FocalLarge.declare(options).channels)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Encode.

        Args:
            image: (B, 3, H, W), normalised by the ImageNet mean and standard deviation; the strides divide
                H and W.

        Returns:
            four maps (B, C_i, H / s_i, W / s_i), each through its own LayerNorm.
        """
        x = self.stem(image)
        outputs = []
        for stage, norm in zip(self.layers, self.out_norms, strict=True):
            x = stage(x)
            outputs.append(norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))
        return tuple(outputs)

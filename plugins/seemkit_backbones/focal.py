"""FocalNet with depthwise blocks, the backbone of the published SEEM-T.

Yang et al., "Focal Modulation Networks", NeurIPS 2022. SEEM-T adds depthwise convolutions to a block and
normalises the residual sum, which no library has; SEEM-L does not, and is `focal_large`. Parameter names are
those of the published files, but for `out_norms.{k}` (`norm{k}` there).
"""

import torch
from pydantic import BaseModel, ConfigDict, Field
from timm.layers import DropPath
from torch import Tensor, nn
from torch.nn import functional

from seemkit.api import BackboneShape

__all__ = ["Focal"]

STRIDES = (4, 8, 16, 32)


class Focal:
    """FocalNet with depthwise blocks, as SEEM-T has it."""

    class Options(BaseModel):
        """Defaults are SEEM-T."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        width: int = Field(96, ge=1, description="channels at stride 4; doubled at every stage")
        depths: tuple[int, int, int, int] = Field((2, 2, 6, 2), description="blocks of each stage")
        levels: int = Field(3, ge=1, description="focal levels of a block")
        window: int = Field(3, ge=1, description="kernel of the first focal level; each further level adds 2")
        mlp_ratio: float = Field(4.0, gt=0, description="hidden width of the MLP over its input width")
        layer_scale: float = Field(1e-4, description="initial value of the residual branch scales")
        drop_path: float = Field(
            0.0, ge=0, lt=1, description="stochastic depth of the last block, when training"
        )

    @staticmethod
    def declare(options: Options) -> BackboneShape:
        """Channels and strides of the four outputs; builds nothing."""
        c = options.width
        return BackboneShape(channels=(c, 2 * c, 4 * c, 8 * c), strides=STRIDES, divisor=32)

    @staticmethod
    def build(options: Options) -> nn.Module:
        """Return the network with freshly initialised weights."""
        return FocalNet(options)


class FocalNet(nn.Module):
    """Image to four normalised feature maps at strides 4, 8, 16 and 32."""

    def __init__(self, options: Focal.Options) -> None:
        super().__init__()
        widths = Focal.declare(options).channels
        count = sum(options.depths)
        drops = [options.drop_path * k / max(count - 1, 1) for k in range(count)]
        self.patch_embed = PatchEmbed(3, widths[0], kernel=7, stride=4, padding=3)
        self.layers = nn.ModuleList()
        for stage, (width, depth) in enumerate(zip(widths, options.depths, strict=True)):
            start = sum(options.depths[:stage])
            self.layers.append(Stage(width, options, drops[start : start + depth], last=stage == 3))
        self.out_norms = nn.ModuleList(nn.LayerNorm(width) for width in widths)
        self.apply(init_weights)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Encode.

        Args:
            image: (B, 3, H, W), normalised by the ImageNet mean and standard deviation.

        Returns:
            four maps (B, C_i, H / s_i, W / s_i), each through its own LayerNorm; a size that the strides do
            not divide is padded with zeros right and below.
        """
        x = self.patch_embed(image)  # B h w C
        outputs = []
        for stage, norm in zip(self.layers, self.out_norms, strict=True):
            out, x = stage(x)
            outputs.append(norm(out).permute(0, 3, 1, 2))
        return tuple(outputs)


class Stage(nn.Module):
    """The blocks of one resolution, and the step to the next."""

    def __init__(self, width: int, options: Focal.Options, drops: list[float], last: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, options, drop) for drop in drops)
        self.downsample = None if last else PatchEmbed(width, 2 * width, kernel=3, stride=2, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, h, w, C) to the map after the blocks and the input of the next stage (the same in the last)."""
        for block in self.blocks:
            x = block(x)
        return x, x if self.downsample is None else self.downsample(x.permute(0, 3, 1, 2))


class PatchEmbed(nn.Module):
    """Strided convolution and LayerNorm, on a map padded right and below to a multiple of the stride."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.stride = stride
        self.proj = nn.Conv2d(inputs, outputs, kernel, stride, padding)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, h, w, D)."""
        h, w = x.shape[-2:]
        x = functional.pad(x, (0, -w % self.stride, 0, -h % self.stride))
        out: Tensor = self.norm(self.proj(x).permute(0, 2, 3, 1))
        return out


class Block(nn.Module):
    """Focal modulation, then an MLP: a depthwise convolution, a scaled branch, and LayerNorm of the sum."""

    def __init__(self, width: int, options: Focal.Options, drop: float) -> None:
        super().__init__()
        self.dw1 = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.dw2 = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.modulation = FocalModulation(width, options.levels, options.window)
        self.norm1 = nn.LayerNorm(width)
        self.mlp = Mlp(width, int(width * options.mlp_ratio))
        self.norm2 = nn.LayerNorm(width)
        self.gamma_1 = nn.Parameter(options.layer_scale * torch.ones(width))
        self.gamma_2 = nn.Parameter(options.layer_scale * torch.ones(width))
        self.drop_path = DropPath(drop)

    def forward(self, x: Tensor) -> Tensor:
        """(B, h, w, C) to the same."""
        x = x + convolve(self.dw1, x)
        x = self.norm1(x + self.drop_path(self.gamma_1 * self.modulation(x)))
        x = x + convolve(self.dw2, x)
        return self.norm2(x + self.drop_path(self.gamma_2 * self.mlp(x)))  # type: ignore[no-any-return]


class FocalModulation(nn.Module):
    """A query modulated by gated contexts of growing windows (eq. 4 to 6 of the paper)."""

    def __init__(self, width: int, levels: int, window: int) -> None:
        super().__init__()
        self.split = (width, width, levels + 1)
        self.f = nn.Linear(width, sum(self.split))
        self.h = nn.Conv2d(width, width, 1)
        self.proj = nn.Linear(width, width)
        self.focal_layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, k, padding=k // 2, groups=width, bias=False), nn.GELU())
            for k in range(window, window + 2 * levels, 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, h, w, C) to the same; the sum of the contexts is divided by their number."""
        query, context, gates = self.f(x).split(self.split, dim=-1)
        total = torch.zeros_like(query)
        for level, layer in enumerate(self.focal_layers):
            context = convolve(layer, context)
            total = total + context * gates[..., level, None]
        everywhere = functional.gelu(context.mean((1, 2), keepdim=True))
        total = (total + everywhere * gates[..., -1:]) / (len(self.focal_layers) + 1)
        out: Tensor = self.proj(query * convolve(self.h, total))
        return out


class Mlp(nn.Module):
    """Two linear layers with GELU between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) to the same."""
        out: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return out


def convolve(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a convolution to (B, h, w, C); the permutes are views (channels_last), nothing is copied."""
    out: Tensor = layer(x.permute(0, 3, 1, 2))
    return out.permute(0, 2, 3, 1)


def init_weights(module: nn.Module) -> None:
    """Initialise linear layers as the paper's code does: truncated normal 0.02, bias zero."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)

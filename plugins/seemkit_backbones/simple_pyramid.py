"""A feature pyramid from the single map of a plain vision transformer."""

from timm.layers import LayerNorm2d
from torch import Tensor, nn

__all__ = ["SimplePyramid"]


class SimplePyramid(nn.Module):
    """Four maps at strides 4, 8, 16, 32 from one at stride 16 (Li et al., ViTDet, ECCV 2022, section 3)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half, quarter = inputs // 2, inputs // 4
        rescale = {
            "up4": nn.Sequential(
                nn.ConvTranspose2d(inputs, half, 2, stride=2),
                LayerNorm2d(half),
                nn.GELU(),
                nn.ConvTranspose2d(half, quarter, 2, stride=2),
            ),
            "up2": nn.ConvTranspose2d(inputs, half, 2, stride=2),
            "same": nn.Identity(),
            "down2": nn.MaxPool2d(2),
        }
        widths = (quarter, half, inputs, inputs)
        self.maps = nn.ModuleList(
            nn.Sequential(step, refine(width, outputs))
            for step, width in zip(rescale.values(), widths, strict=True)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, C, h, w) at stride 16 to four maps (B, D, ., .), finest first; h and w are even."""
        return tuple(make(x) for make in self.maps)


def refine(inputs: int, outputs: int) -> nn.Sequential:
    """1x1 and 3x3 convolution, each with a LayerNorm over channels instead of a bias."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False),
        LayerNorm2d(outputs),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        LayerNorm2d(outputs),
    )

"""Maps at strides 4, 8, 16 and 32 from those that a trunk has: the missing ones are made of their neighbours."""

from collections.abc import Mapping

from timm.layers import LayerNorm2d
from torch import Tensor, nn

__all__ = ["STRIDES", "Pyramid", "nearest_source", "pyramid_channels"]

STRIDES = (4, 8, 16, 32)


class Pyramid(nn.Module):
    """Four maps from one or some (after Li et al., ViTDet, ECCV 2022, section 3).

    A map that the trunk has at a wanted stride is given as it is, unless it is the only one: then all four are
    made of it, as ViTDet does.

    Args:
        sources: channels of the trunk's maps by their stride, each 4, 8, 16 or 32.
        width: channels of the maps that are made.
    """

    def __init__(self, sources: Mapping[int, int], width: int) -> None:
        super().__init__()
        self.sources = tuple(nearest_source(stride, sources) for stride in STRIDES)
        self.maps = nn.ModuleList(
            nn.Identity() if keeps(stride, sources) else make_map(source, stride, sources[source], width)
            for source, stride in zip(self.sources, STRIDES, strict=True)
        )

    def forward(self, maps: Mapping[int, Tensor]) -> tuple[Tensor, ...]:
        """Maps (B, C, h, w) by stride, their sizes even down to stride 32, to four maps, finest first."""
        return tuple(make(maps[source]) for source, make in zip(self.sources, self.maps, strict=True))


def nearest_source(stride: int, sources: Mapping[int, int]) -> int:
    """The stride to make a map at `stride` of: the nearest, and of two the coarser, which has seen more."""
    return min(sources, key=lambda source: (max(source / stride, stride / source), -source))


def keeps(stride: int, sources: Mapping[int, int]) -> bool:
    """Whether the trunk's own map is given at a stride."""
    return stride in sources and len(sources) > 1


def pyramid_channels(sources: Mapping[int, int], width: int) -> tuple[int, int, int, int]:
    """Channels of the four maps of a :class:`Pyramid`."""
    a, b, c, d = (sources[stride] if keeps(stride, sources) else width for stride in STRIDES)
    return a, b, c, d


def make_map(source: int, stride: int, inputs: int, outputs: int) -> nn.Sequential:
    """From a map at stride `source` to one at `stride`: halvings of the stride, or pooling, then convolutions."""
    if stride >= source:
        factor = stride // source
        return nn.Sequential(nn.Identity() if factor == 1 else nn.MaxPool2d(factor), refine(inputs, outputs))
    widths = [inputs]
    steps: list[nn.Module] = []
    while source > stride:
        if steps:
            steps += [LayerNorm2d(widths[-1]), nn.GELU()]
        widths.append(max(widths[-1] // 2, 1))
        steps.append(nn.ConvTranspose2d(widths[-2], widths[-1], 2, stride=2))
        source //= 2
    grow = steps[0] if len(steps) == 1 else nn.Sequential(*steps)
    return nn.Sequential(grow, refine(widths[-1], outputs))


def refine(inputs: int, outputs: int) -> nn.Sequential:
    """1x1 and 3x3 convolution, each with a LayerNorm over channels instead of a bias."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False),
        LayerNorm2d(outputs),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        LayerNorm2d(outputs),
    )

"""What is seen, for names: the image encoder's coarse maps mixed to a map of their own, beside the pyramid.

A pyramid of few channels that learns masks keeps what masks need, and of names little is left. So the raw maps at
strides 16 and 32 go another way, and class embeddings and texts read that.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from seemkit.network.precision import at_least_single
from seemkit.network.resampling import resize_features

__all__ = ["Closer", "Meaning", "Standard", "mean_cells"]


class Standard(nn.Module):
    """Channels brought to mean 0 and deviation 1 by statistics that are part of the weights; none at first.

    Args:
        channels: C.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        return (x - self.mean[:, None, None]) / self.deviation[:, None, None]

    @property
    def is_blank(self) -> bool:
        """Whether it changes nothing, as when it is new."""
        return not bool(self.mean.any()) and bool((self.deviation == 1).all())

    def take(self, x: Tensor) -> None:
        """Take the statistics of cells (N, C)."""
        self.mean.copy_(x.mean(0))
        self.deviation.copy_(x.std(0) + 1e-3)


class Meaning(nn.Module):
    """Maps at strides 16 and 32, (B, C_i, h_i, w_i), to one of M channels at stride 16.

    Args:
        middle: channels at stride 16.
        coarse: channels at stride 32.
        width: M.
        closer: channels of the maps of a closer look; none by default.
        enlarged: how many times as large as the input the image of a closer look is.
    """

    def __init__(
        self, middle: int, coarse: int, width: int, closer: Sequence[int] = (), enlarged: int = 1
    ) -> None:
        super().__init__()
        self.width = width
        self.enlarged = enlarged
        self.closer = nn.ModuleList(Closer(c, width) for c in closer)
        self.standard = nn.ModuleList(Standard(c) for c in (middle, coarse))
        self.middle = nn.Conv2d(middle, width, 1)
        self.coarse = nn.Conv2d(coarse, width, 1, bias=False)

    @property
    def nearness(self) -> int:
        """How many times as large as the input the image of a closer look is; 0 if none is taken."""
        return self.enlarged if len(self.closer) else 0

    def forward(self, middle: Tensor, coarse: Tensor, kept: Tensor | None = None) -> Tensor:
        """Mix.

        Args:
            middle: at stride 16.
            coarse: at stride 32.
            kept: (B, C_1 + C_2) factors of the channels, where training leaves some out; None for all.

        Returns:
            (B, M, h, w), not negative.
        """
        maps = [standard(x) for standard, x in zip(self.standard, (middle, coarse), strict=True)]
        if kept is not None:
            factors, first = kept[..., None, None], maps[0].shape[1]
            maps = [maps[0] * factors[:, :first], maps[1] * factors[:, first:]]
        fine, rough = self.middle(maps[0]), self.coarse(maps[1])
        return functional.relu(fine + resize_features(rough, (fine.shape[-2], fine.shape[-1])))

    def refine(self, meaning: Tensor, maps: Sequence[Tensor], kept: Tensor | None = None) -> Tensor:
        """The map of a closer look.

        Args:
            meaning: (B, M, h, w), what `forward` gave.
            maps: of the closer look, (B, C_i, h_i, w_i).
            kept: (B, sum of C_i) factors of the channels; None for all.

        Returns:
            (B, M, h, w), not negative.
        """
        start = 0
        for look, x in zip(self.closer, maps, strict=True):
            factors = None if kept is None else kept[:, start : start + x.shape[1], None, None]
            meaning = meaning + look(x, (meaning.shape[-2], meaning.shape[-1]), factors)
            start += x.shape[1]
        return functional.relu(meaning)


class Closer(nn.Module):
    """One map of a closer look, of any size, to what it adds to the map for names.

    Args:
        channels: C.
        width: M.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.standard = Standard(channels)
        self.mixed = nn.Conv2d(channels, width, 1, bias=False)

    def forward(self, x: Tensor, size: tuple[int, int], kept: Tensor | None = None) -> Tensor:
        """(B, C, h, w) to (B, M, *size), cells averaged over where there are more of them; `kept` (B, C, 1, 1)."""
        x = self.standard(at_least_single(x))
        if kept is not None:
            x = x * kept
        mixed: Tensor = self.mixed(resize_features(mean_cells(x, size), size))
        return mixed


def mean_cells(x: Tensor, size: tuple[int, int]) -> Tensor:
    """A map (B, C, h, w) of more cells than `size`, averaged over those; one that has no more as it is."""
    finer = x.shape[-2] > size[0] and x.shape[-1] > size[1]
    return functional.interpolate(x, size=size, mode="area") if finer else x

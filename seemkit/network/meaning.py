"""What is seen, for names: the image encoder's coarse maps mixed to a map of their own, beside the pyramid.

A pyramid of few channels that learns masks keeps what masks need, and of names little is left. So the raw maps at
strides 16 and 32 go another way, and class embeddings and texts read that.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from seemkit.network.resampling import resize_features

__all__ = ["Meaning", "Standard"]


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
    """

    def __init__(self, middle: int, coarse: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.standard = nn.ModuleList(Standard(c) for c in (middle, coarse))
        self.middle = nn.Conv2d(middle, width, 1)
        self.coarse = nn.Conv2d(coarse, width, 1, bias=False)

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

"""Where the outline runs: a mask term that convolutions draw from the scene and from maps of what was asked.

A mask that is one dot product a pixel has to find an object's extent in features that know nothing of the prompt.
Interactive networks give the prompt to convolutions as maps beside the image (Sofiiuk et al., RITM, ICIP 2022). Here a
small U-Net (Ronneberger et al., MICCAI 2015) does so at strides 8 to 32, and its last map is weighed with mask features
at stride 4. At first it adds nothing.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from seemkit.network.precision import at_least_single
from seemkit.network.prepared import PreparedScene
from seemkit.network.resampling import resize_features
from seemkit.network.sampler import PointBatch

__all__ = ["HINTS", "Outline", "box_map"]

HINTS = 18
"""Maps of an object: 12 of its points, 3 of other terms, the box of its extents, whether it has points and words."""
GROUPS = 8
EDGE = 16
"""Channels of mask features at stride 4."""


class Step(nn.Module):
    """Norm, ReLU and a 3 x 3 convolution, beside the identity where the shape stays."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, before)
        self.conv = nn.Conv2d(before, after, 3, stride=stride, padding=1)
        self.stays = before == after and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to (N, C', h / stride, w / stride)."""
        y: Tensor = self.conv(functional.relu(self.norm(x)))
        return x + y if self.stays else y


class Outline(nn.Module):
    """A U-Net over the hints of each object and the scene that it is in.

    Args:
        dim: C of the scene's maps.
        width: channels at stride 8, a multiple of 8; twice as many at strides 16 and 32.
    """

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        wide = 2 * width
        self.scene = nn.Conv2d(2 * dim, width, 1)
        self.hints = nn.Conv2d(HINTS, width, 3, padding=1)
        self.first = nn.Sequential(Step(width, width))
        self.middle = nn.Sequential(Step(width, wide, 2), Step(wide, wide))
        self.coarse = nn.Sequential(Step(wide, wide, 2), Step(wide, wide), Step(wide, wide))
        self.joined = Step(wide, wide)
        self.back = nn.Conv2d(wide, width, 1)
        self.last = nn.Sequential(Step(width, width), Step(width, width))
        self.norm = nn.GroupNorm(GROUPS, width)
        self.edge = nn.Conv2d(dim, EDGE, 1)
        self.drawn = nn.Conv2d(width, EDGE + 1, 1)
        nn.init.zeros_(self.drawn.weight)
        assert self.drawn.bias is not None
        nn.init.zeros_(self.drawn.bias)

    def forward(self, scene: PreparedScene, hints: Tensor, asked: Tensor) -> Tensor:
        """Logits to add to every candidate's mask.

        Args:
            scene: B scenes.
            hints: (N, 18, h, w) of N = B * n objects, scene by scene, at stride 8.
            asked: (N,) bool, whether an object has any points or words.

        Returns:
            (N, H, W) at stride 4, 0 for objects without.
        """
        seen = torch.cat([at_least_single(x) for x in (scene.levels[2], scene.small[2])], 1)
        fine = self.first(scene.spread(self.scene(seen), len(hints)) + self.hints(hints))
        middle = self.middle(fine)
        middle = self.joined(middle + resize_features(self.coarse(middle), _size(middle)))
        fine = self.last(fine + resize_features(self.back(middle), _size(fine)))
        drawn = self.drawn(functional.relu(self.norm(fine)))
        weights = resize_features(drawn, scene.mask_features.size)
        edges = scene.spread(self.edge(at_least_single(scene.mask_features.whole)), len(hints))
        logits = weights[:, 0] + (weights[:, 1:] * edges).sum(1)
        return logits * asked[:, None, None]


def box_map(points: PointBatch, size: tuple[int, int]) -> Tensor:
    """(N, h, w) how much of each cell lies in the box around an object's extents, 0 without extents.

    Args:
        points: of N objects.
        size: (h, w).
    """
    mine = (points.extent & ~points.negative & ~points.padding)[..., None]
    if not mine.shape[1]:
        return points.xy.new_zeros(len(mine), *size)
    low = torch.where(mine, points.xy, torch.full_like(points.xy, 2.0)).amin(1)
    high = torch.where(mine, points.xy, torch.full_like(points.xy, -1.0)).amax(1)
    covered = []
    for axis, count in ((1, size[0]), (0, size[1])):
        start = torch.arange(count, device=points.xy.device, dtype=points.xy.dtype)
        upper = torch.minimum(high[:, axis, None] * count, start + 1)
        covered.append((upper - torch.maximum(low[:, axis, None] * count, start)).clamp(0, 1))
    return covered[0][:, :, None] * covered[1][:, None, :]


def _size(x: Tensor) -> tuple[int, int]:
    return x.shape[-2], x.shape[-1]

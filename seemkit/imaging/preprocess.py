"""From the original image to what a backbone takes: resized, normalised, then padded right and bottom."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seemkit.errors import ImageError, SeemkitError
from seemkit.geometry.grid import Grid

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "MAX_INPUT", "Preprocess"]

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
MAX_INPUT = 25_000_000
"""The largest input of a network, in pixels: a narrow image whose short side is enlarged without a limit on the
long one would otherwise fill any memory."""

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True)
class Preprocess:
    """How an image becomes the input of a backbone.

    The sizes are those of detectron2's ``ResizeShortestEdge``, its rounding included.

    Attributes:
        short: the short side after resizing, in pixels; None keeps the size.
        long: the long side is at most this, even if the short side then falls below `short`; None: no limit.
        divisor: the padded height and width are multiples of this.
        mean: per channel of RGB in [0, 255]; subtracted.
        std: per channel likewise; divided by.
        fixed: (H, W) that every input is padded to; the image is resized to fit inside: by `short` and `long`
            and then shrunk if need be, or with neither given as large as fits.
        resample: the filter of the resize (PIL's, which blurs when it shrinks).
    """

    short: int | None = 800
    long: int | None = 1333
    divisor: int = 32
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    fixed: tuple[int, int] | None = None
    resample: Literal["bicubic", "bilinear"] = "bicubic"

    def __post_init__(self) -> None:
        for name in ("short", "long", "divisor"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise _refusal(name, value, "at least 1 pixel")
        if min(self.std) <= 0:
            raise _refusal("std", self.std, "three numbers above 0")
        if self.fixed is not None and min(self.fixed) < 1:
            raise _refusal("fixed", self.fixed, "(H, W) of at least 1 pixel")
        if self.resample not in _FILTERS:
            raise _refusal("resample", self.resample, "'bicubic' or 'bilinear'")

    def grid_for(self, image_size: tuple[int, int]) -> Grid:
        """The resized input, before padding, for an original image of (H, W) pixels."""
        rows, columns = image_size
        height, width = float(rows), float(columns)
        if self.short is not None:
            scale = self.short / min(rows, columns)
            # The short side is set, not multiplied, so that it is exact.
            height, width = (self.short, scale * columns) if rows < columns else (scale * rows, self.short)
        if self.long is not None and max(height, width) > self.long:
            scale = self.long / max(height, width)
            height, width = height * scale, width * scale
        if self.fixed is not None:
            scale = min(self.fixed[0] / height, self.fixed[1] / width)
            if scale < 1 or (self.short is None and self.long is None):
                height, width = height * scale, width * scale
        grid = Grid(max(int(height + 0.5), 1), max(int(width + 0.5), 1), (rows, columns))
        if self.fixed is not None:
            grid = grid._replace(height=min(grid.height, self.fixed[0]), width=min(grid.width, self.fixed[1]))
        return grid

    def padded(self, size: tuple[int, int]) -> tuple[int, int]:
        """(H_pad, W_pad) of the input for a resized image of (h, w) pixels."""
        if self.fixed is not None:
            return self.fixed
        return -(-size[0] // self.divisor) * self.divisor, -(-size[1] // self.divisor) * self.divisor

    def resize(self, image: NDArray[np.uint8], times: int = 1) -> NDArray[np.uint8]:
        """Bring an image (H, W, 3) uint8 to k times the size of `grid_for`, (k h, k w, 3) uint8.

        Args:
            image: the original.
            times: k.

        Raises:
            ImageError: it would become larger than `MAX_INPUT`.
        """
        grid = self.grid_for((image.shape[0], image.shape[1]))
        height, width = (times * side for side in grid.size)
        if height * width > MAX_INPUT:
            raise ImageError(
                f"the image is {image.shape[1]} x {image.shape[0]} and would be resized to {width} x "
                f"{height}, over the limit of {MAX_INPUT // 1_000_000} megapixels: cut it, or set "
                "preprocess.long",
                path="image",
            )
        if (height, width) == image.shape[:2]:
            return image
        picture = Image.fromarray(np.ascontiguousarray(image))
        return np.array(picture.resize((width, height), _FILTERS[self.resample]), np.uint8)

    def normalise(self, resized: NDArray[np.uint8], times: int = 1) -> Tensor:
        """Normalise (k h, k w, 3) uint8 and then pad with zeros: (3, k H_pad, k W_pad) float32 on the CPU.

        The padding is zero after normalisation, that is, of the mean colour.

        Args:
            resized: the image, k times as large as on the input grid.
            times: k.
        """
        import torch

        height, width = resized.shape[:2]
        bottom, right = (times * side for side in self.padded((height // times, width // times)))
        if height > bottom or width > right:
            raise ValueError(f"an image of {(height, width)} is larger than the input of {(bottom, right)}")
        chw = np.ascontiguousarray(resized.transpose(2, 0, 1))
        pixels = torch.tensor(chw, dtype=torch.float32)  # 3 x h x w
        mean = torch.tensor(self.mean, dtype=torch.float32)[:, None, None]
        std = torch.tensor(self.std, dtype=torch.float32)[:, None, None]
        padded = torch.zeros(3, bottom, right)
        padded[:, :height, :width] = (pixels - mean) / std
        return padded

    def fingerprint(self) -> str:
        """SHA-256 of everything that decides what an image becomes."""
        fields = asdict(self)
        fields["mean"], fields["std"] = [float(m) for m in self.mean], [float(s) for s in self.std]
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _refusal(name: str, value: object, expected: str) -> SeemkitError:
    return SeemkitError(f"{name} is {value!r}: expected {expected}", path=f"preprocess.{name}")

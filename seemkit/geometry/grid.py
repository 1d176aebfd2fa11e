"""The input grid that spatial prompts are rasterised on, and its relation to the original image."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Grid", "as_grid"]


class Grid(NamedTuple):
    """The resized input, without its padding.

    Frame: continuous (x, y), pixel i covers [i, i + 1). A point of the original image at (x, y) lies at
    (x * width / image_width, y * height / image_height) on the grid.

    Attributes:
        height: rows of the grid, in pixels of the resized input.
        width: columns of the grid.
        image: (H, W) of the original image; None means that the grid is the original image.
    """

    height: int
    width: int
    image: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the grid."""
        return self.height, self.width

    @property
    def original(self) -> tuple[int, int]:
        """(H, W) of the original image."""
        return self.image or (self.height, self.width)

    @property
    def scale(self) -> tuple[float, float]:
        """Grid pixels per original pixel along (x, y)."""
        rows, columns = self.original
        return self.width / columns, self.height / rows

    def place_one(self, x: float, y: float) -> tuple[float, float]:
        """Move one point of the original image onto the grid: as `place`, in a fraction of the time."""
        rows, columns = self.original
        return x * self.width / columns, y * self.height / rows

    def place(self, points: ArrayLike) -> NDArray[np.float64]:
        """Move points of the original image, (..., 2) as (x, y), onto the grid."""
        rows, columns = self.original
        array = np.asarray(points, np.float64)
        return np.asarray(array * [self.width, self.height] / [columns, rows], np.float64)


def as_grid(size: "Grid | tuple[int, int]") -> Grid:
    """Accept a plain (height, width) where a grid is wanted: the image is then its own grid."""
    return size if isinstance(size, Grid) else Grid(int(size[0]), int(size[1]))

"""What a spatial prompt selects: a set of pixels of the input grid, with a sign and a kind."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Region", "RegionKind", "first_pixel"]

RegionKind = Literal["exact", "extent"]


@dataclass(frozen=True, eq=False)
class Region:
    """Pixels of the input grid that a prompt selects.

    Attributes:
        mask: (height, width) bool on the grid; True where selected. It is made read-only.
        include: True says "the object is here", False "it is not".
        kind: "exact" if the pixels themselves belong to the object (click, scribble, mask), "extent" if the
            object lies within them (box, lasso), so that a ring just outside is evidence against.
    """

    mask: NDArray[np.bool_]
    include: bool = True
    kind: RegionKind = "exact"

    def __post_init__(self) -> None:
        if not isinstance(self.mask, np.ndarray):
            raise TypeError(f"a region is a 2-D bool array, not a {type(self.mask).__name__}")
        if self.mask.ndim != 2 or self.mask.dtype != np.bool_:
            raise TypeError(f"a region is a 2-D bool array, not {self.mask.dtype} of shape {self.mask.shape}")
        if self.mask.flags.writeable:
            mask = self.mask.copy()
            mask.flags.writeable = False
            object.__setattr__(self, "mask", mask)

    @property
    def area(self) -> int:
        """How many pixels of the grid are selected."""
        return int(self.mask.sum())


def first_pixel(size: tuple[int, int]) -> Region:
    """The top left pixel of a grid of (height, width): a point that somebody is going to move."""
    mask = np.zeros(size, bool)
    mask[0, 0] = True
    return Region(mask)

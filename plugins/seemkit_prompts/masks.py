"""The prompt `mask`: pixels of the object, painted or taken from another model."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator
from seemkit.api import (
    BinaryMask,
    Draw,
    Grid,
    Region,
    SpatialPrompt,
    check_same_size,
    read_mask_file,
    resize_mask,
)
from seemkit.api import simulate_mask

__all__ = ["Mask"]


class Mask(SpatialPrompt):
    """A (H, W) mask of the size of the original image; the pixels selected belong to the object."""

    type: Literal["mask"] = "mask"
    mask: BinaryMask
    draw: ClassVar[Draw] = "mask"

    @field_validator("mask")
    @classmethod
    def _filled(cls, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if not mask.any():
            raise ValueError("mask selects no pixel, expected one at least")
        return mask

    def region(self, size: Grid) -> Region:
        return Region(resize_mask(self.mask, size), self.include)

    def check(self, image: tuple[int, int]) -> None:
        check_same_size(self.mask.shape, image, "mask")

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(mask=read_mask_file(text, flag="mask"))

    @classmethod
    def simulate(cls, mask: NDArray[np.bool_], rng: np.random.Generator) -> Self | None:
        rough = simulate_mask(mask, rng)
        return None if rough is None else cls(mask=rough)

    @classmethod
    def example(cls) -> Self:
        return cls(mask=np.tri(48, 64, 8, dtype=bool))

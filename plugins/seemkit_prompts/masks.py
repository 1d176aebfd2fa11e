"""The prompt `mask`: pixels of the object, painted or taken from another model."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from seemkit import api

__all__ = ["Mask"]


class Mask(api.SpatialPrompt):
    """A (H, W) mask of the size of the original image; the pixels selected belong to the object."""

    type: Literal["mask"] = "mask"
    mask: api.BinaryMask
    draw: ClassVar[api.Draw] = "mask"

    @field_validator("mask")
    @classmethod
    def _filled(cls, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if not mask.any():
            raise ValueError("mask selects no pixel, expected one at least")
        return mask

    def region(self, size: api.Grid) -> api.Region:
        return api.Region(api.resize_mask(self.mask, size), self.include)

    def check(self, image: tuple[int, int]) -> None:
        api.check_same_size(self.mask.shape, image, "mask")

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(mask=api.read_mask_file(text, flag="mask"))

    @classmethod
    def simulate(cls, mask: NDArray[np.bool_], rng: np.random.Generator) -> Self | None:
        rough = api.simulate_mask(mask, rng)
        return None if rough is None else cls(mask=rough)

    @classmethod
    def example(cls) -> Self:
        return cls(mask=np.tri(48, 64, 8, dtype=bool))

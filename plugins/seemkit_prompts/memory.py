"""The prompt `memory`: the mask of an earlier round or frame, to start from."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from seemkit.api import Asset, Draw, EncodeContext, Encoded, TokenPrompt, check_same_size, read_mask_file

__all__ = ["Memory"]


class Memory(TokenPrompt):
    """An earlier mask of the object: (H, W) bool of the image's size, or (h, w) float logits at stride 4.

    Masks travel in JSON as run lengths, logits by their hash.
    """

    type: Literal["memory"] = "memory"
    mask: Asset
    draw: ClassVar[Draw] = "none"
    excludes: ClassVar[bool] = False

    @field_validator("mask")
    @classmethod
    def _mask_or_logits(cls, mask: NDArray[np.bool_ | np.number]) -> NDArray[np.bool_ | np.number]:
        if mask.ndim != 2:
            raise ValueError(f"mask has shape {mask.shape}, expected (H, W) bool or (h, w) logits")
        two_values = bool(np.isin(mask, (0, 1, 255)).all())
        if mask.dtype.kind in "iu":
            if not two_values:
                raise ValueError(f"mask holds {mask.dtype}, expected bool, or float logits")
            mask = np.asarray(mask != 0)
        elif mask.dtype.kind == "f":
            if two_values and mask.any():
                raise ValueError(
                    "mask holds only the floats 0 and 1, which are no logits: give mask.astype(bool)"
                )
            mask = mask.astype(np.float32)
        mask.flags.writeable = False
        return mask

    @field_validator("include")
    @classmethod
    def _only_include(cls, include: bool) -> bool:
        if not include:
            raise ValueError("memory cannot be excluded, expected include=True")
        return include

    def encode(self, context: EncodeContext) -> Encoded:
        import torch

        return context.memory(torch.from_numpy(self.mask.copy()))

    def check(self, image: tuple[int, int]) -> None:
        if self.mask.dtype == np.bool_:
            check_same_size(self.mask.shape, image, "memory")

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(mask=read_mask_file(text, flag="memory"))

    @classmethod
    def example(cls) -> Self:
        return cls(mask=np.tri(48, 64, 8, dtype=bool))

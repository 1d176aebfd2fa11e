"""The prompt `box`: the object lies within its area; a ring just outside speaks against."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from seemkit.api import Draw, Grid, Region, SpatialPrompt, check_overlap, draw_box, floats, simulate_box

__all__ = ["Box"]


class Box(SpatialPrompt):
    """A box around the object: (x1, y1) to (x2, y2), exclusive, in pixels of the image, clipped to it."""

    type: Literal["box"] = "box"
    x1: float = Field(description="left edge, in pixels")
    y1: float = Field(description="top edge")
    x2: float = Field(description="right edge, exclusive")
    y2: float = Field(description="bottom edge, exclusive")
    draw: ClassVar[Draw] = "box"

    @model_validator(mode="after")
    def _order(self) -> Self:
        for axis, low, high in (("x", self.x1, self.x2), ("y", self.y1, self.y2)):
            if high <= low:
                raise ValueError(f"box {axis}2={high:.10g} must be larger than {axis}1={low:.10g}")
        return self

    def region(self, size: Grid) -> Region:
        return Region(draw_box(self.extent(), size), self.include, "extent")

    def extent(self) -> tuple[float, float, float, float]:
        return self.x1, self.y1, self.x2, self.y2

    def check(self, image: tuple[int, int]) -> None:
        check_overlap(self.extent(), image, "box")

    @classmethod
    def parse(cls, text: str) -> Self:
        x1, y1, x2, y2 = floats(text, (4,), flag="box", form="x1,y1,x2,y2")
        return cls(x1=x1, y1=y1, x2=x2, y2=y2)

    @classmethod
    def simulate(cls, mask: NDArray[np.bool_], rng: np.random.Generator) -> Self | None:
        box = simulate_box(mask, rng)
        return cls(x1=box[0], y1=box[1], x2=box[2], y2=box[3]) if box else None

    @classmethod
    def example(cls) -> Self:
        return cls(x1=8, y1=6, x2=40, y2=30)

"""The prompt `scribble`: a brush stroke on the object."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from seemkit.api import (
    Draw,
    Grid,
    Points,
    Region,
    SpatialPrompt,
    check_inside,
    draw_stroke,
    points_of,
    simulate_stroke,
)

__all__ = ["Scribble"]


class Scribble(SpatialPrompt):
    """A stroke through points (x, y) with a width, in pixels of the original image; one point is a dab."""

    type: Literal["scribble"] = "scribble"
    points: Points
    width: float = Field(default=5.0, gt=0, le=10_000)
    draw: ClassVar[Draw] = "stroke"

    def region(self, size: Grid) -> Region:
        return Region(draw_stroke(self.points, self.width, size), self.include)

    def check(self, image: tuple[int, int]) -> None:
        check_inside(self.points, image, "scribble", field="points")

    @classmethod
    def parse(cls, text: str) -> Self:
        path, at, width = text.partition("@")
        form = "'x,y x,y ...' or 'x,y x,y ...@width'"
        values = {"width": floats(width, (1,), flag="scribble", form=form)[0]} if at else {}
        return cls(points=points_of(path, flag="scribble", form=form), **values)

    @classmethod
    def simulate(cls, mask: NDArray[np.bool_], rng: np.random.Generator) -> Self | None:
        stroke = simulate_stroke(mask, rng)
        return cls(points=stroke[0], width=stroke[1]) if stroke else None

    @classmethod
    def example(cls) -> Self:
        return cls(points=[(12, 12), (24, 18), (36, 14)], width=4)

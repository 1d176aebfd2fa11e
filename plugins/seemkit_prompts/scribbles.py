"""The prompt `scribble`: a brush stroke on the object."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seemkit import api

__all__ = ["Scribble"]


class Scribble(api.SpatialPrompt):
    """A stroke through points (x, y) with a width, in pixels of the original image; one point is a dab."""

    type: Literal["scribble"] = "scribble"
    points: api.Points
    width: float = Field(default=5.0, gt=0, le=10_000, description="of the brush, in pixels")
    draw: ClassVar[api.Draw] = "stroke"

    def region(self, size: api.Grid) -> api.Region:
        return api.Region(api.draw_stroke(self.points, self.width, size), self.include)

    def check(self, image: tuple[int, int]) -> None:
        api.check_inside(self.points, image, "scribble", field="points")

    @classmethod
    def parse(cls, text: str) -> Self:
        path, at, width = text.partition("@")
        form = "'x,y x,y ...' or 'x,y x,y ...@width'"
        values = {"width": api.floats(width, (1,), flag="scribble", form=form)[0]} if at else {}
        return cls(points=api.points_of(path, flag="scribble", form=form), **values)

    @classmethod
    def simulate(cls, mask: NDArray[np.bool_], rng: np.random.Generator) -> Self | None:
        stroke = api.simulate_stroke(mask, rng)
        return cls(points=stroke[0], width=stroke[1]) if stroke else None

    @classmethod
    def example(cls) -> Self:
        return cls(points=[(12, 12), (24, 18), (36, 14)], width=4)

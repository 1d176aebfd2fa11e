"""The prompt `polygon`: an outline whose area belongs to the object."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from seemkit import api

__all__ = ["Polygon"]


class Polygon(api.SpatialPrompt):
    """The area within corners (x, y), in pixels of the original image; edges may touch but not cross."""

    type: Literal["polygon"] = "polygon"
    points: api.Points
    draw: ClassVar[api.Draw] = "polygon"

    @model_validator(mode="after")
    def _simple(self) -> Self:
        api.check_outline(self.points, "polygon")
        return self

    def region(self, size: api.Grid) -> api.Region:
        return api.Region(api.draw_polygon(self.points, size), self.include)

    def check(self, image: tuple[int, int]) -> None:
        api.check_inside(self.points, image, "polygon", field="points", closed=True)

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(points=api.points_of(text, flag="polygon", form="'x,y x,y x,y ...'"))

    @classmethod
    def simulate(cls, mask: NDArray[np.bool_], rng: np.random.Generator) -> Self | None:
        outline = api.simulate_outline(mask, rng)
        return cls(points=outline) if outline else None

    @classmethod
    def example(cls) -> Self:
        return cls(points=[(10, 8), (40, 10), (36, 34), (14, 30)])

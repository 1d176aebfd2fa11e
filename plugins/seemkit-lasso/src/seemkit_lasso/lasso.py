"""The prompt `lasso`: a loop drawn loosely around the object."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from seemkit import api


class Lasso(api.SpatialPrompt):
    """A loop around the object, (x, y) in pixels of the original image; it may cross itself."""

    type: Literal["lasso"] = "lasso"
    points: api.Points = Field(min_length=3)
    draw: ClassVar[api.Draw] = "polygon"

    def region(self, size: api.Grid) -> api.Region:
        """The area within the loop: the object lies there, what is just outside speaks against."""
        return api.Region(api.draw_polygon(self.points, size), self.include, "extent")

    def check(self, image: tuple[int, int]) -> None:
        api.check_inside(self.points, image, "lasso", field="points", closed=True)

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(points=api.points_of(text, flag="lasso", form="'x,y x,y x,y ...'"))

    @classmethod
    def simulate(cls, mask: NDArray[np.bool_], rng: np.random.Generator) -> Self | None:
        loop = api.simulate_outline(mask, rng, loose=0.05)
        return cls(points=loop) if loop else None

    @classmethod
    def example(cls) -> Self:
        return cls(points=[(6, 5), (44, 4), (42, 36), (8, 32)])

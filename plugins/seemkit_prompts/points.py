"""The prompt `point`: a click on the object, or on what it is not."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seemkit.api import Draw, Grid, Region, SpatialPrompt, check_inside, draw_clicks, floats, simulate_click

__all__ = ["Point"]


class Point(SpatialPrompt):
    """A click at (x, y), in pixels of the original image: 3 x 3 pixels of the input grid."""

    type: Literal["point"] = "point"
    x: float = Field(description="pixels from the left edge")
    y: float = Field(description="pixels from the top edge")
    draw: ClassVar[Draw] = "point"

    def region(self, size: Grid) -> Region:
        mask = draw_clicks([(self.x, self.y)], size)
        mask.flags.writeable = False  # nobody else has it: a hundred clicks make no hundred copies
        return Region(mask, self.include)

    def check(self, image: tuple[int, int]) -> None:
        check_inside([(self.x, self.y)], image, "point")

    @classmethod
    def parse(cls, text: str) -> Self:
        x, y = floats(text, (2,), flag="point", form="x,y")
        return cls(x=x, y=y)

    @classmethod
    def simulate(cls, mask: NDArray[np.bool_], rng: np.random.Generator) -> Self | None:
        click = simulate_click(mask, rng)
        return cls(x=click[0], y=click[1]) if click else None

    @classmethod
    def example(cls) -> Self:
        return cls(x=20, y=15)

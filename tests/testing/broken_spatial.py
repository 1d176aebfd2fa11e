"""A sound prompt that selects pixels, and what can be wrong with one: values, words, regions, simulation."""

from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import (
    AllowInfNan,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    field_serializer,
    field_validator,
)
from pydantic import model_validator as validates

from seemkit import api
from seemkit.api import Region


class Dot(api.SpatialPrompt):
    """A spatial prompt that keeps the contract."""

    type: Literal["dot"] = "dot"
    x: float
    y: float
    draw: ClassVar[api.Draw] = "point"

    def region(self, size: api.Grid) -> Region:
        return Region(api.draw_clicks([(self.x, self.y)], size), self.include)

    def check(self, image: tuple[int, int]) -> None:
        api.check_inside([(self.x, self.y)], image, "dot")

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        click = api.simulate_click(mask, rng)
        return cls(x=click[0], y=click[1]) if click else None

    @classmethod
    def example(cls) -> Self:
        return cls(x=20.25, y=15.5)


# Values


class OutOfBounds(Dot):
    """A dot whose example lies elsewhere."""

    @classmethod
    def example(cls) -> Self:
        return cls(x=100, y=15)


class Rounded(Dot):
    """A dot that writes rounded numbers."""

    @field_serializer("x")
    def _round(self, x: float) -> float:
        return round(x)


class Odd:
    """A value that pydantic cannot describe."""

    def __init__(self, value: str) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Odd) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


class Undescribed(Dot):
    """A dot with a field of a type without a schema."""

    odd: Annotated[
        Odd,
        BeforeValidator(lambda v: v if isinstance(v, Odd) else Odd(str(v))),
        PlainSerializer(lambda odd: odd.value),
    ] = Odd("a")

    @classmethod
    def example(cls) -> Self:
        return cls(x=20, y=15, odd=Odd("b"))


class Soft(Dot):
    """A dot that can be changed."""

    model_config = ConfigDict(frozen=False)


class Nameless(Dot):
    """A dot that is equal to those of other objects."""

    def content_key(self) -> str:
        return f"{self.x} {self.y} {self.include}"


class Sticky(Dot):
    """A dot that no other process gets."""

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle a Sticky")


class Drifting(Dot):
    """A dot that moves when it is copied."""

    def __deepcopy__(self, memo: Any = None) -> Self:
        return self.model_copy(update={"x": self.x + 1})


class Careless(Dot):
    """A dot that drops what it does not know."""

    @validates(mode="before")
    @classmethod
    def _drop(cls, data: Any) -> Any:
        return {k: v for k, v in data.items() if k in cls.model_fields} if isinstance(data, dict) else data


class Abrupt(Dot):
    """A dot whose validator raises what pydantic lets through."""

    @field_validator("x", mode="before")
    @classmethod
    def _read(cls, x: Any) -> float:
        return float(x)


class Endless(Dot):
    """A dot that takes infinity."""

    x: Annotated[float, AllowInfNan(True)]


class Changeling(Dot):
    """A dot that settles to another type."""

    def settled(self) -> Any:
        return Dot(**{name: getattr(self, name) for name in type(self).model_fields})


# Words


class Negative(Dot):
    """A dot whose flag reads like an exclusion."""

    type: Literal["not-dot"] = "not-dot"  # type: ignore[assignment]


class Verbose(Dot):
    """A dot that tells so much of itself
    that it does not fit into one line."""


class Renamed(Dot):
    """A dot whose docstring changes later."""


Renamed.__doc__ = "Something else that no source says."


class Brushed(Dot):
    """A dot that asks for a tool nobody has."""

    draw: ClassVar[Any] = "airbrush"


class Swapped(Dot):
    """A dot whose flag takes y before x."""

    @classmethod
    def parse(cls, text: str) -> Self:
        y, x = api.floats(text, (2,), flag="dot", form="x,y")
        return cls(x=x, y=y)


class Raw(Dot):
    """A dot whose flag shows Python's own errors."""

    @classmethod
    def parse(cls, text: str) -> Self:
        x, y = text.split(",")
        return cls(x=float(x), y=float(y))


# Regions


class Unsized(Dot):
    """A dot on the original image, whatever the grid."""

    def region(self, size: api.Grid) -> Region:
        return super().region(api.Grid(48, 64))


class Wandering(Dot):
    """A dot that is elsewhere on a finer grid."""

    def region(self, size: api.Grid) -> Region:
        mask = super().region(size).mask
        away = size.width // 2 if self.x < 32 and size.width > 64 else 0
        return Region(np.roll(mask, away, axis=1), self.include)


class Slanted(Dot):
    """A dot two pixels to the right of where it is."""

    def region(self, size: api.Grid) -> Region:
        x = self.x + (size.original[1] / 32 if self.x < 0.9 * size.original[1] else 0)
        return Region(api.draw_clicks([(x, self.y)], size), self.include)


class Unscaled(Dot):
    """A dot that is elsewhere on a large photo."""

    def region(self, size: api.Grid) -> Region:
        x = self.x + (15 if size.original[1] > 100 else 0)
        return Region(api.draw_clicks([(x, self.y)], size), self.include)


class Clamped(Dot):
    """A dot that is moved onto the image."""

    def check(self, image: tuple[int, int]) -> None: ...

    def region(self, size: api.Grid) -> Region:
        rows, columns = size.original
        at = (min(max(self.x, 0), columns - 0.5), min(max(self.y, 0), rows - 0.5))
        return Region(api.draw_clicks([at], size), self.include)


class Cut(Dot):
    """A dot that leaves out the last pixels of a fine grid."""

    def region(self, size: api.Grid) -> Region:
        mask = super().region(size).mask.copy()
        if size.height > 48 and mask[-2:, -2:].any():
            mask[-2:, -2:] = False
            mask[-4, -4] = True
        return Region(mask, self.include)


class Swollen(Dot):
    """A dot that is larger when it excludes."""

    def region(self, size: api.Grid) -> Region:
        return Region(api.draw_clicks([(self.x, self.y)], size, 1 if self.include else 3), self.include)


class Hoarding(Dot):
    """A dot that keeps a large array behind each region."""

    def region(self, size: api.Grid) -> Region:
        large = np.zeros((1000, 1000), bool)
        view = large[: size.height, : size.width]
        view[...] = super().region(size).mask
        view.flags.writeable = False
        return Region(view, self.include)


# Simulation


class Missing(Dot):
    """A dot that a simulated user sets in the corner."""

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        return cls(x=0.5, y=0.5) if mask.sum() > 1 else super().simulate(mask, rng)


class Whimsical(Dot):
    """A dot whose simulated user follows no seed."""

    own: ClassVar[np.random.Generator] = np.random.default_rng(0)

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        return super().simulate(mask, cls.own)


class Eager(Dot):
    """A dot whose user clicks where nothing is."""

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        return super().simulate(mask, rng) or cls.example()


class Erasing(Dot):
    """A dot whose user wipes the mask."""

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        found = super().simulate(mask, rng)
        mask[:] = False
        return found

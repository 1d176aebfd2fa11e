"""A training recipe: the validated, frozen configuration of one run of `seemkit train`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, JsonValue, PrivateAttr, StringConstraints

from seemkit.choice import Slot
from seemkit.training.recipe.sections import (
    DataSection,
    ModelSection,
    ObjectiveSection,
    OptimiserSection,
    RunSection,
    Section,
)

__all__ = ["VERSION", "Recipe", "Source", "differences"]

VERSION = 1
"""Of the form of a recipe; its field ``seemkit``."""
FREE = (
    "device",
    "workers",
    "minutes",
    "log",
    "pictures",
    "measure",
    "tensorboard",
    "accumulate",
)
"""What of a run may change when it is resumed."""


class Source(Section):
    """A data set of a recipe.

    Attributes:
        slot: its plugin and options.
        share: of the pictures, relative to the other sources.
        hold_out: share of its pictures that is kept out of training; None is as the recipe says for all.
        prompts: how often a type of prompt is simulated for its objects, times what the objective says.
        copy_paste: share of its pictures that objects of another one are pasted on; None is as the recipe says for all.
    """

    slot: Slot
    share: float = Field(1.0, gt=0, le=1e6, description="of the pictures, relative to the others")
    hold_out: float | None = Field(None, ge=0, le=0.9, description="share that is kept out of training")
    prompts: dict[str, Annotated[float, Field(ge=0, le=1e6)]] = Field(
        default_factory=dict,
        description="how often a type of prompt is simulated for its objects, times objective.prompts",
    )
    copy_paste: float | None = Field(
        None, ge=0, le=1, description="share of its pictures that objects of another one are pasted on"
    )

    @classmethod
    def own(cls) -> list[str]:
        """The options that every source of a recipe has, beside those of its plugin."""
        return [name for name in cls.model_fields if name != "slot"]


class Recipe(Section):
    """What is trained, on what, towards what, how and for how long.

    Made by :func:`seemkit.training.recipe.load_recipe`, which reports everything that is wrong at once.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] = Field(
        "custom", description="what the run is called; by default the name of the file"
    )
    summary: str = Field("", max_length=500, description="what it is for, in a sentence")
    model: ModelSection = Field(default_factory=ModelSection, description="what is trained")
    data: DataSection = Field(default_factory=DataSection, description="where pictures come from")
    objective: ObjectiveSection = Field(default_factory=ObjectiveSection, description="what is learned")
    optimiser: OptimiserSection = Field(default_factory=OptimiserSection, description="how weights move")
    run: RunSection = Field(default_factory=RunSection, description="how long and where")

    _sources: tuple[Source, ...] = PrivateAttr(default=())
    _folder: Path = PrivateAttr(default=Path())

    @property
    def sources(self) -> tuple[Source, ...]:
        """The data sets, checked."""
        return self._sources

    def beside(self, path: str) -> Path:
        """A path of the recipe, which is relative to its file."""
        return self._folder / path

    def as_dict(self) -> dict[str, JsonValue]:
        """The recipe as plain data, complete in itself."""
        return {"seemkit": VERSION, **self.model_dump(mode="json")}


def differences(one: Mapping[str, JsonValue], other: Mapping[str, JsonValue], path: str = "") -> list[str]:
    """Paths at which two recipes as plain data differ in what decides what the weights will be."""
    found = []
    for key in dict.fromkeys((*one, *other)):
        here = f"{path}.{key}" if path else key
        if here in ("name", "summary", *(f"run.{free}" for free in FREE)):
            continue
        a, b = one.get(key), other.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, here)
        elif a != b:
            found.append(here)
    return found

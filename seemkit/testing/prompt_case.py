"""What the checks of a prompt type share: its values, and how they are asked on the bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from seemkit.errors import PromptError
from seemkit.geometry.grid import Grid
from seemkit.geometry.region import Region
from seemkit.prompting.prompt import Prompt, SpatialPrompt, TokenPrompt
from seemkit.testing.bench import SIZE, model_for, objects, scene_for
from seemkit.testing.contract import Contract, named
from seemkit.testing.violation import demand, fail, one_line, skip

if TYPE_CHECKING:
    from seemkit import Result

__all__ = ["GRIDS", "PromptCase", "region_fault", "sentence_of"]

GRIDS = tuple(Grid(h, w, SIZE) for h, w in (SIZE, (96, 128), (37, 91), (24, 32), (5, 7), (1, 1)))
"""Input grids of the photo: its own, finer, of another aspect, coarser, and tiny ones."""


class PromptCase(Contract):
    """A prompt type under test."""

    kind: ClassVar[str] = "prompts"
    prompt: ClassVar[type[Prompt]]
    """The prompt type."""
    flags: ClassVar[Mapping[str, Prompt]] = {}
    """Values of its command-line flag, and what each has to be read as."""

    @classmethod
    def subject(cls) -> str:
        """The JSON type."""
        return cls.prompt.type_name()

    @classmethod
    def component(cls) -> object:
        """The prompt type."""
        return named(cls, "prompt")

    def example(self) -> Prompt:
        """The example, which has to be valid for the checks that need one."""
        try:
            example = self.prompt.example()
            example.check(SIZE)
        except Exception as error:  # of the plugin; another check says it
            skip(f"there is no valid example ({one_line(error, 80)})")
        return example

    def values(self) -> list[Prompt]:
        """The example and a few simulated values, all different."""
        found: list[Prompt] = [self.example()]
        for seed, mask in enumerate(objects().values()):
            simulated = self.simulate(mask, seed)
            if simulated is not None and simulated not in found:
                found.append(simulated)
        return found

    def simulate(self, mask: NDArray[np.bool_], seed: int = 0) -> Prompt | None:
        """A simulated value; None too where simulating fails, which another check says."""
        try:
            return self.prompt.simulate(mask.copy(), np.random.default_rng(seed))
        except Exception:  # of the plugin
            return None

    def spatial(self) -> SpatialPrompt:
        """The example of a spatial prompt; leaves the check out for a token prompt."""
        example = self.example()
        if not isinstance(example, SpatialPrompt):
            skip("it is a token prompt and selects no pixels itself")
        return example

    def sound(self) -> SpatialPrompt:
        """As `spatial`, and leaves the check out if its regions are none at all, which another check says."""
        example = self.spatial()
        if any(region_fault(example, grid) for grid in GRIDS):
            skip("its region is wrong in itself")
        return example

    def token(self) -> TokenPrompt:
        """The example of a token prompt; leaves the check out for a spatial prompt."""
        example = self.example()
        if not isinstance(example, TokenPrompt):
            skip("it is a spatial prompt: its rows are the core's")
        return example

    def ask(self, prompts: Sequence[Prompt], select: str | int = "best") -> Result:
        """Answer prompts on the bench."""
        model, scene = model_for(self.prompt), scene_for(self.prompt)
        return model.segment(scene, list(prompts), select=select)  # type: ignore[arg-type]

    def logits(self, prompts: Sequence[Prompt], select: str | int = "best") -> NDArray[np.float32]:
        """The logits (N, h, w) of the answers."""
        found = self.ask(prompts, select).logits
        assert found is not None
        return found

    def answerable(self) -> Prompt:
        """The example, if it is answered alone; another check says why not."""
        example = self.example()
        try:
            self.ask([example])
        except Exception as error:  # of the plugin
            skip(f"its example is not answered ({one_line(error, 80)})")
        return example


def region_fault(prompt: SpatialPrompt, grid: Grid) -> str:
    """What is wrong with the region of a prompt on a grid in itself; empty if nothing is."""
    try:
        region = prompt.region(grid)
    except Exception as error:  # of the plugin
        return f"raised {type(error).__name__} on {grid}: {one_line(error)}"
    if not isinstance(region, Region):
        return f"gave a {type(region).__name__} on {grid}"
    if region.mask.shape != grid.size:
        return f"gave a region of shape {region.mask.shape} on {grid}"
    if not region.mask.any():
        return f"selected no pixel on {grid}"
    return "" if region.kind in ("exact", "extent") else f"gave a region of kind {region.kind!r}"


def sentence_of(error: Exception, what: str) -> None:
    """Fail unless what a user gets to read is one sentence of a prompt's own."""
    if isinstance(error, ValidationError):
        fail(f"met {what} with pydantic's list of {error.error_count()} errors")
    if not isinstance(error, PromptError):
        fail(f"met {what} with {type(error).__name__}: {one_line(error)}")
    text = str(error)
    demand(text.strip() and "\n" not in text, f"met {what} with {text!r}, which is not one line")

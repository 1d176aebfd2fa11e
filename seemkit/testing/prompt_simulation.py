"""Checks of simulated users: what they give fits the object, and the same seed gives the same."""

import numpy as np
from numpy.typing import NDArray

from seemkit.geometry.grid import Grid
from seemkit.prompting.prompt import Prompt, SpatialPrompt
from seemkit.testing.bench import SIZE, objects
from seemkit.testing.contract import check
from seemkit.testing.prompt_case import PromptCase, region_fault
from seemkit.testing.violation import demand, skip

__all__ = ["PromptSimulationChecks"]

SEEDS = 8


class PromptSimulationChecks(PromptCase):
    """Training and evaluation ask a prompt type what a user would give; None is always allowed."""

    @check(
        "A simulated prompt fits the image and touches the object that it was simulated for",
        why="Training on prompts that point elsewhere teaches the model to answer elsewhere.",
        mend="build simulate() on api.simulate_click, simulate_box, simulate_stroke, simulate_outline or "
        "simulate_mask, or return None for an object that the type cannot show",
    )
    def test_a_simulated_prompt_is_on_its_object(self) -> None:
        found = 0
        for name, mask in objects().items():
            for seed in range(SEEDS):
                value = self._simulate(mask, seed)
                if value is None:
                    continue
                found += 1
                demand(type(value) is self.prompt, f"simulated a {type(value).__name__}")
                demand(value.include, f"simulated a prompt that excludes the object {name!r}")
                value.check(SIZE)
                if isinstance(value, SpatialPrompt) and not region_fault(value, Grid(*SIZE, SIZE)):
                    hit = (value.region(Grid(*SIZE, SIZE)).mask & mask).any()
                    demand(hit, f"simulated a prompt that does not touch the object {name!r} (seed {seed})")
        if not found:
            skip("it cannot be simulated")

    @check(
        "The same mask and seed give the same simulated prompt",
        why="A training run and an evaluation have to be repeatable.",
        mend="draw every random number from the generator that simulate() is given",
    )
    def test_simulation_is_seeded(self) -> None:
        for mask in objects().values():
            for seed in range(SEEDS):
                same = self._simulate(mask, seed) == self._simulate(mask, seed)
                demand(same, f"simulated two different prompts from seed {seed}")

    @check(
        "For an empty mask a simulated user gives None",
        why="Rounds of clicks end where nothing is left to correct.",
        mend="return None if not mask.any()",
    )
    def test_nothing_is_simulated_for_an_empty_mask(self) -> None:
        value = self._simulate(np.zeros(SIZE, bool), 0)
        demand(value is None, f"simulated {type(value).__name__} for an empty mask")

    @check(
        "Simulating leaves the mask as it is",
        why="The same mask is the target that the answer is held against.",
        mend="copy the mask before changing it",
    )
    def test_simulation_does_not_change_the_mask(self) -> None:
        for name, mask in objects().items():
            given = mask.copy()
            self.prompt.simulate(given, np.random.default_rng(0))
            demand(np.array_equal(given, mask), f"changed the mask of the object {name!r}")

    def _simulate(self, mask: NDArray[np.bool_], seed: int) -> Prompt | None:
        return self.prompt.simulate(mask.copy(), np.random.default_rng(seed))

"""What the checks of a prompt type share: its values, and how they are asked on the bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import ValidationError

from seemkit.errors import PromptError
from seemkit.prompting.prompt import Prompt, SpatialPrompt, TokenPrompt
from seemkit.testing.bench import SIZE, model_for, objects, scene_for
from seemkit.testing.contract import Contract
from seemkit.testing.violation import demand, fail, one_line, skip

if TYPE_CHECKING:
    from seemkit import Result

__all__ = ["PromptCase", "sentence_of"]


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
        return cls.prompt

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

    def simulate(self, mask: np.ndarray, seed: int = 0) -> Prompt | None:
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

    def answerable(self) -> Prompt:
        """The example, if it is answered alone; another check says why not."""
        example = self.example()
        try:
            self.ask([example])
        except Exception as error:  # of the plugin
            skip(f"its example is not answered ({one_line(error, 80)})")
        return example


def sentence_of(error: Exception, what: str) -> None:
    """Fail unless what a user gets to read is one sentence of a prompt's own."""
    if isinstance(error, ValidationError):
        fail(f"met {what} with pydantic's list of {error.error_count()} errors")
    if not isinstance(error, PromptError):
        fail(f"met {what} with {type(error).__name__}: {one_line(error)}")
    text = str(error)
    demand(text.strip() and "\n" not in text, f"met {what} with {text!r}, which is not one line")

"""Interactive segmentation: IoU by the number of clicks, from every kind of first prompt."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, JsonValue, field_validator, model_validator

from seemkit.evaluation.measures.kinds import WORDS, check_kinds, give, raise_first, simulated, spatial_kinds
from seemkit.evaluation.measures.measure import Asked, Measure, Outcome, Record, Tally
from seemkit.prompting.simulate import SimulationError

if TYPE_CHECKING:
    from PIL import Image

    from seemkit.data.sample import SampleObject
    from seemkit.evaluation.conversation import Conversation, Correct
    from seemkit.evaluation.protocols.clicker import Click, Clicker
    from seemkit.prompting.prompt import Prompt

__all__ = ["Clicks"]

CLICK = "click"
"""The first prompt that the protocol itself gives."""


class Clicks(Measure):
    """IoU after each click, and the number of clicks to reach an IoU."""

    protocol: Literal["ritm", "largest", "original"] = Field(
        "ritm", description="who clicks where: RITM's code, RITM's words, or the published SEEM"
    )
    rounds: int = Field(20, ge=1, le=200, description="prompts that are given, the first included")
    memory: bool = Field(True, description="whether a round sees the mask of the one before, as in a session")
    first: Literal["every", "pairs"] | tuple[str, ...] = Field(
        (CLICK,),
        description="first prompts: 'click' is the protocol's own; 'every' spatial type, 'pairs' of them, or names, "
        "those that are given together joined as in box+text",
    )
    then: Literal["click", "same"] = Field(
        "click", description="corrections: clicks, or prompts of the first's type, simulated on the error"
    )
    jitter: float = Field(
        0.0, ge=0, le=1, description="how far clicks fall from where they should, as a share of its depth"
    )
    repeats: int = Field(1, ge=1, le=100, description="conversations about each object, drawn anew")
    smallest: int = Field(1, ge=1, description="pixels that an object has at least")
    things: bool = Field(False, description="whether stuff is left out")
    shown: tuple[int, ...] = Field((1, 2, 3, 5, 10, 20), description="rounds whose mean IoU is a figure")
    thresholds: tuple[int, ...] = Field((80, 85, 90), description="of NoC, in per cent of IoU")

    @field_validator("first")
    @classmethod
    def check_first(cls, first: str | tuple[str, ...]) -> str | tuple[str, ...]:
        """Refuse what is no type of spatial prompt, nor such types and words together."""
        if isinstance(first, str):
            return first
        alone = [name for name in first if "+" not in name]
        together = [kind for name in first if "+" in name for kind in name.split("+")]
        if alone or not together:
            check_kinds(alone, also=(CLICK, WORDS), spatial=True)
        if together:
            check_kinds(together, also=(WORDS,), spatial=True)
        return first

    @model_validator(mode="after")
    def check_corrections(self) -> Self:
        """Refuse corrections of the same type where there are several."""
        together = next((name for name in self._first() if "+" in name), None)
        if self.then == "same" and together is not None:
            raise ValueError(f"then is 'same', but {together} are several types; take 'click'")
        return self

    def evaluate(self, asked: Asked) -> Outcome | None:
        objects = asked.objects(self.smallest, things=self.things)
        curves: dict[str, JsonValue] = {}
        worst: tuple[float, SampleObject, Conversation] | None = None
        left_out: dict[str, SimulationError] = {}
        for name in self._first():
            mine = []
            for place, each in enumerate(objects):
                for repeat in range(self.repeats):
                    try:
                        said = self._converse(asked, each, name, place, repeat)
                    except SimulationError as error:
                        left_out.setdefault(str(error), error)
                        continue
                    if said is None:
                        continue
                    mine.append(said.curve)
                    score = float(np.mean(said.curve))
                    if worst is None or score < worst[0]:
                        worst = score, each, said
            curves[name] = [[round(v, 6) for v in curve] for curve in mine]
        if worst is None:
            raise_first(left_out.values())
            return None
        draw = partial(_draw, asked, worst[1], worst[2])
        return Outcome({"curves": curves}, worst[0], draw, left_out=tuple(left_out))

    def tally(self, records: Sequence[Record], tally: Tally) -> None:
        from seemkit.evaluation.metrics.clicks import clicks_to_reach, mean_curve

        for name in sorted({kind for record in records for kind in record["curves"]}, key=self._order):
            found = [curve for record in records for curve in record["curves"].get(name, ())]
            if not found:
                continue
            curves, protocol = np.array(found, np.float64), self.describe(name)
            count = len(curves) // self.repeats
            label = "" if name == CLICK else f" from {spaced(name)}"
            for k in self.shown:
                if k <= self.rounds:
                    tally.add(f"mIoU@{k}{label}", float(curves[:, k - 1].mean()), protocol, count)
            cap = "" if self.rounds == 20 else f"{self.rounds}-"
            for threshold in self.thresholds:
                reached = clicks_to_reach(curves, threshold / 100)
                tally.add(f"{cap}NoC@{threshold}{label}", float(reached.mean()), protocol, count)
                never = int((curves.max(1) < threshold / 100).sum())
                tally.share(f"never@{threshold}{label}", never, len(curves), protocol)
            tally.curve(spaced(name), mean_curve(curves), protocol, count)

    def describe(self, first: str) -> str:
        """The protocol in words."""
        from seemkit.evaluation.protocols import clicker_class

        name = clicker_class(self.protocol).name
        corrections = name if self.then == "click" or first == CLICK else f"the same where {name} fall"
        kinds = [
            "the class or phrase as text" if kind == WORDS else f"one simulated {kind}"
            for kind in first.split("+")
        ]
        parts = [name if first == CLICK else f"{' and '.join(kinds)}, then {corrections}"]
        parts.append(f"at most {self.rounds}")
        parts.append("session with memory" if self.memory else "each round without memory")
        if self.jitter:
            parts.append(f"jitter {self.jitter:g} of the depth")
        if self.repeats > 1:
            parts.append(f"{self.repeats} draws an object")
        return ", ".join(parts)

    def _first(self) -> Sequence[str]:
        if self.first == "every":
            return tuple(spatial_kinds())
        if self.first == "pairs":
            return tuple("+".join(pair) for pair in combinations(spatial_kinds(), 2))
        return self.first

    def _order(self, name: str) -> tuple[int, str]:
        names = list(self._first())
        return (names.index(name) if name in names else len(names), name)

    def _converse(
        self, asked: Asked, each: SampleObject, name: str, place: int, repeat: int
    ) -> Conversation | None:
        """None if a prompt of these types cannot be given for the object."""
        from seemkit.evaluation.conversation import converse
        from seemkit.evaluation.protocols import clicker_class
        from seemkit.evaluation.protocols.clicker import Jitter

        which = (*([str(place)] if place else []), *([f"draw {repeat}"] if repeat else []))
        words = (name, *which)
        first: list[Prompt] = []
        correct: Correct | None = None
        for kind in () if name == CLICK else name.split("+"):
            rng = asked.rng(kind, *which)
            prompt = give(kind, each, rng)
            if prompt is None:
                return None
            first.append(prompt)
            if self.then == "same":
                correct = partial(_correct_by, name, rng)
        hand = Jitter(self.jitter, asked.rng(*words, "jitter")) if self.jitter else None
        make = clicker_class(self.protocol)
        clicker: Clicker = make(each.read_mask(), asked.ignore, asked.scene.grid, hand)
        return converse(
            asked.model, asked.scene, clicker, self.rounds, first=first, correct=correct, memory=self.memory
        )


def spaced(name: str) -> str:
    """Types that are given together, as figures name them."""
    return name.replace("+", " + ")


def _correct_by(name: str, rng: np.random.Generator, click: Click) -> Prompt | None:
    """A prompt of a type on the error that would be clicked; a click where that type cannot exclude."""
    from seemkit.evaluation.conversation import click_prompt

    kind = spatial_kinds()[name]
    if not (click.positive or kind.excludes):
        return click_prompt(click)
    prompt = simulated(name, click.area, rng)
    return None if prompt is None else prompt.model_copy(update={"include": click.positive})


def _draw(asked: Asked, each: SampleObject, said: Conversation) -> Image.Image:
    from seemkit.evaluation.comparison import compare, one_layer

    rounds = f"{said.curve[0]:.2f} after 1, {said.curve[-1]:.2f} after {len(said.curve)} rounds"
    title = f"mean IoU {np.mean(said.curve):.2f}: {rounds}"
    return compare(
        asked.image, one_layer(each.read_mask()), one_layer(said.mask), title, prompts=said.prompts
    )

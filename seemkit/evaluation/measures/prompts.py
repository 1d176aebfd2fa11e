"""One round of every type of prompt, alone and together: the mean IoU of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue, field_validator

from seemkit.evaluation.measures.kinds import WORDS, check_kinds, give, raise_first, simulated_kinds
from seemkit.evaluation.measures.measure import Asked, Measure, Outcome, Record, Tally
from seemkit.prompting.simulate import SimulationError

if TYPE_CHECKING:
    from PIL import Image

    from seemkit.data.sample import SampleObject
    from seemkit.prompting.prompt import Prompt

__all__ = ["Prompts"]


class Prompts(Measure):
    """Mean IoU of one simulated prompt of each type, and of combinations of types."""

    combinations: Literal["single", "pairs"] | tuple[tuple[str, ...], ...] = Field(
        "single", description="each type alone, all pairs too, or lists of types such as [point, text]"
    )
    draws: int = Field(1, ge=1, le=100, description="prompts of each type for each object, drawn anew")
    smallest: int = Field(1, ge=1, description="pixels that an object has at least")
    things: bool = Field(False, description="whether stuff is left out")

    @field_validator("combinations")
    @classmethod
    def check_combinations(
        cls, given: str | tuple[tuple[str, ...], ...]
    ) -> str | tuple[tuple[str, ...], ...]:
        """Refuse what is no type of prompt that can be simulated."""
        return (
            given if isinstance(given, str) else tuple(check_kinds(names, also=(WORDS,)) for names in given)
        )

    def evaluate(self, asked: Asked) -> Outcome | None:
        scores: dict[str, list[float | None]] = {"+".join(names): [] for names in self.sets()}
        worst: tuple[float, SampleObject, NDArray[np.bool_], list[Prompt]] | None = None
        left_out: dict[str, SimulationError] = {}
        for place, each in enumerate(asked.objects(self.smallest, things=self.things)):
            for draw in range(self.draws):
                given = self._prompts(asked, each, place, draw, left_out)
                for names in self.sets():
                    prompts = [given[name] for name in names if name in given]
                    if len(prompts) < len(names):
                        scores["+".join(names)].append(None)
                        continue
                    score, mask = _ask(asked, each, prompts)
                    scores["+".join(names)].append(round(score, 6))
                    if worst is None or score < worst[0]:
                        worst = score, each, mask, prompts
        if worst is None:
            raise_first(left_out.values())
            return None
        record: dict[str, JsonValue] = {"scores": {name: list(values) for name, values in scores.items()}}
        return Outcome(record, worst[0], partial(_draw, asked, *worst), left_out=tuple(left_out))

    def tally(self, records: Sequence[Record], tally: Tally) -> None:
        columns = {"+".join(n): [s for r in records for s in r["scores"]["+".join(n)]] for n in self.sets()}
        for names in self.sets():
            whole = columns["+".join(names)]
            scored = [k for k, score in enumerate(whole) if score is not None]
            if not scored:
                continue
            more: dict[str, object] = {}
            if len(names) > 1:
                alone = {n: float(np.mean([columns[n][k] for k in scored])) for n in names}
                best = max(alone, key=lambda name: alone[name])
                more = {"baseline": alone[best], "baseline_name": f"{best} alone, same objects"}
            value = float(np.mean([whole[k] for k in scored]))
            protocol = "one simulated prompt" if len(names) == 1 else "one simulated prompt of each"
            if WORDS in names:
                protocol += ", the class or phrase as text"
            drawn = f", {self.draws} draws an object" if self.draws > 1 else ""
            count = len(scored) // self.draws
            tally.add(f"mIoU {' + '.join(names)}", value, protocol + drawn, count, **more)

    def sets(self) -> list[tuple[str, ...]]:
        """What is asked together: the types alone first, then the combinations."""
        types = list(simulated_kinds())
        if self.combinations == "single":
            return [(name,) for name in types]
        if self.combinations == "pairs":
            types.append(WORDS)
            return [*((name,) for name in types), *combinations(types, 2)]
        alone = dict.fromkeys(name for names in self.combinations for name in names)
        return [*((name,) for name in alone), *(names for names in self.combinations if len(names) > 1)]

    def _prompts(
        self, asked: Asked, each: SampleObject, place: int, draw: int, left_out: dict[str, SimulationError]
    ) -> dict[str, Prompt]:
        """A prompt of each type that can be given for an object; what a plugin raised is entered."""
        given: dict[str, Prompt] = {}
        for name in dict.fromkeys(name for names in self.sets() for name in names):
            words = (name, *([str(place)] if place else []), *([f"draw {draw}"] if draw else []))
            try:
                prompt = give(name, each, asked.rng(*words))
            except SimulationError as error:
                left_out.setdefault(str(error), error)
                continue
            if prompt is not None:
                given[name] = prompt
        return given


def _ask(asked: Asked, each: SampleObject, prompts: Sequence[Prompt]) -> tuple[float, NDArray[np.bool_]]:
    from seemkit.evaluation.metrics.masks import iou

    mask = asked.model.segment(asked.scene, prompts).masks[0]
    return iou(mask, each.read_mask(), asked.ignore), mask


def _draw(
    asked: Asked, score: float, each: SampleObject, mask: NDArray[np.bool_], prompts: Sequence[Prompt]
) -> Image.Image:
    from seemkit.evaluation.comparison import compare, one_layer

    title = f"{' + '.join(p.type_name() for p in prompts)}: IoU {score:.2f}"
    return compare(asked.image, one_layer(each.read_mask()), one_layer(mask), title, prompts=prompts)

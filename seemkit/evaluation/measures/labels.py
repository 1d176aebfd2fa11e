"""Labels: does a mask get its name, among all names of the data set?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from seemkit.evaluation.class_names import plain_names
from seemkit.evaluation.measures.kinds import check_kinds, simulated
from seemkit.evaluation.measures.measure import Asked, Measure, Outcome, Record, Tally

if TYPE_CHECKING:
    from PIL import Image

    from seemkit.data.dataset import DatasetInfo
    from seemkit.data.sample import SampleObject
    from seemkit.prompting.prompt import Prompt
    from seemkit.result import Result

__all__ = ["Labels"]

TRUE = "true mask"
"""The masks of the data set, given as they are."""


class Labels(Measure):
    """Top-1 of the names of the data set, given at the call: on true masks, and on masks that prompts found."""

    masks: tuple[str, ...] = Field(
        (TRUE, "point"), description="'true mask', or types of prompts whose answer is named"
    )
    smallest: int = Field(400, ge=1, description="pixels that an object has at least")

    @field_validator("masks")
    @classmethod
    def check_masks(cls, masks: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what is no type of prompt."""
        return check_kinds(masks, also=(TRUE,))

    def lacks(self, info: DatasetInfo) -> str | None:
        return None if info.categories else "names of classes"

    def evaluate(self, asked: Asked) -> Outcome | None:
        names = plain_names([c.name for c in asked.info.categories if c.is_thing] or asked.info.names)
        right: dict[str, list[bool | None]] = {how: [] for how in self.masks}
        real: list[str] = []
        wrong: tuple[SampleObject, Result, Prompt] | None = None
        for place, each in enumerate(asked.objects(self.smallest)):
            if each.name not in names.values():
                continue
            real.append(each.name or "")
            for how in self.masks:
                prompt = _prompt(asked, how, each, place)
                if prompt is None:
                    right[how].append(None)
                    continue
                result = asked.model.segment(asked.scene, [prompt], vocabulary=list(names))
                right[how].append(names[result.labels[0][0][0]] == each.name)
                if not right[how][-1] and wrong is None:
                    wrong = each, result, prompt
        if not real:
            return None
        share = sum(bool(hit) for hits in right.values() for hit in hits) / (len(real) * len(self.masks))
        draw = None if wrong is None else partial(_draw, asked, share, *wrong)
        return Outcome({"names": list(real), "right": {k: list(v) for k, v in right.items()}}, share, draw)

    def tally(self, records: Sequence[Record], tally: Tally) -> None:
        from seemkit.evaluation.metrics.shares import paired

        counted = Counter(name for record in records for name in record["names"])
        commonest, most = counted.most_common(1)[0] if counted else ("", 0)
        share = most / counted.total() if counted else float("nan")
        number = len(plain_names([c.name for c in tally.info.categories if c.is_thing] or tally.info.names))
        protocol = f"top-1 over {number} names, objects of at least {self.smallest} pixels"
        for how in self.masks:
            told = [
                (hit, name == commonest)
                for record in records
                for hit, name in zip(record["right"][how], record["names"], strict=True)
                if hit is not None
            ]
            hits = [hit for hit, _ in told]
            what = "true masks" if how == TRUE else f"masks of one simulated {how}"
            more = {"baseline": share, "baseline_name": f"always the commonest name, {commonest!r}"}
            more["paired"] = paired(hits, [beside for _, beside in told])
            tally.share(f"top-1 on {what}", sum(hits), len(hits), protocol, **more)


def _prompt(asked: Asked, how: str, each: SampleObject, place: int) -> Prompt | None:
    from seemkit.prompting.read import prompt_type

    if how == TRUE:
        return prompt_type("mask").model_validate({"mask": each.read_mask()})
    return simulated(how, each.read_mask(), asked.rng(how, str(place)))


def _draw(asked: Asked, share: float, each: SampleObject, result: Result, prompt: Prompt) -> Image.Image:
    from seemkit.evaluation.comparison import compare, named_layers

    said = ", ".join(f"{name} {chance:.0%}" for name, chance in result.labels[0][:3])
    truth = named_layers([each.read_mask()], [each.name])
    answer = named_layers([result.masks[0]], [result.names[0]])
    return compare(asked.image, truth, answer, f"{share:.2f} right; {each.name}: {said}", prompts=[prompt])

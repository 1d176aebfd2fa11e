"""Referring segmentation: does a phrase, or the name of a class, find its object?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seemkit.evaluation.class_names import plain_name
from seemkit.evaluation.measures.measure import Asked, Measure, Outcome, Record, Tally

if TYPE_CHECKING:
    from PIL import Image

    from seemkit.data.dataset import DatasetInfo
    from seemkit.data.sample import SampleObject

__all__ = ["Text"]

Mask = NDArray[np.bool_]
LARGEST = "true mask of the picture's largest thing"


class Text(Measure):
    """cIoU, mIoU and AP50 of phrases or class names, beside always choosing the largest object."""

    ask: Literal["names", "phrases"] = Field(
        "names", description="class names of things that occur once in a picture, or the data set's phrases"
    )
    each: int = Field(1, ge=1, description="phrases of an object, the first ones")

    def lacks(self, info: DatasetInfo) -> str | None:
        return "names of classes" if self.ask == "names" and not info.categories else None

    def evaluate(self, asked: Asked) -> Outcome | None:
        questions = self._questions(asked)
        if not questions:
            return None
        from seemkit.evaluation.metrics.masks import overlap
        from seemkit.prompting.read import prompt_type

        text = prompt_type("text")
        prompts = [
            text.model_validate({"text": words, "object": str(place)})
            for place, (words, _) in enumerate(questions)
        ]
        result = asked.model.segment(asked.scene, prompts)
        candidates = asked.objects(things=True) or asked.objects()
        largest = max((o.read_mask() for o in candidates), key=lambda mask: int(mask.sum()))
        real = [each.read_mask() for _, each in questions]
        pairs = [overlap(mask, true, asked.ignore) for mask, true in zip(result.masks, real, strict=True)]
        baseline = [overlap(largest, true, asked.ignore) for true in real]
        scores = [both / max(union, 1) for both, union in pairs]
        worst = int(np.argmin(scores))
        draw = partial(_draw, asked, questions[worst][0], real[worst], result.masks[worst], scores[worst])
        record = {
            "texts": [words for words, _ in questions],
            "pairs": [list(pair) for pair in pairs],
            "largest": [list(pair) for pair in baseline],
        }
        return Outcome(record, scores[worst], draw)  # type: ignore[arg-type]

    def tally(self, records: Sequence[Record], tally: Tally) -> None:
        from seemkit.evaluation.metrics.referring import referring
        from seemkit.evaluation.metrics.shares import paired

        answers = referring([(b, u) for record in records for b, u in record["pairs"]])
        largest = referring([(b, u) for record in records for b, u in record["largest"]])
        protocol = self.describe()
        for name, value, beside in (
            ("cIoU", answers.ciou, largest.ciou),
            ("mIoU", answers.miou, largest.miou),
        ):
            tally.add(name, value, protocol, answers.count, baseline=beside, baseline_name=LARGEST)
        for threshold, hits in answers.found.items():
            tally.share(
                f"AP{threshold}",
                sum(hits),
                answers.count,
                protocol,
                baseline=largest.precision[threshold],
                baseline_name=LARGEST,
                paired=paired(hits, largest.found[threshold]),
            )

    def describe(self) -> str:
        """The protocol in words."""
        what = (
            "class name as text, thing classes that occur once in the picture"
            if self.ask == "names"
            else f"first {'phrase' if self.each == 1 else f'{self.each} phrases'} of each object"
        )
        return f"{what}; AP is the share with an IoU of at least that"

    def _questions(self, asked: Asked) -> list[tuple[str, SampleObject]]:
        """(words, object) for everything that is asked about the picture."""
        if self.ask == "phrases":
            return [(words, each) for each in asked.objects() for words in each.phrases[: self.each]]
        things = asked.objects(things=True)
        count = Counter(each.name for each in things)
        return [(plain_name(o.name), o) for o in things if o.name is not None and count[o.name] == 1]


def _draw(asked: Asked, words: str, true: Mask, mask: Mask, score: float) -> Image.Image:
    from seemkit.evaluation.comparison import compare, one_layer

    return compare(asked.image, one_layer(true), one_layer(mask), f'"{words}": IoU {score:.2f}')

"""How nested the candidates of a click are: what `select="parts"` gives, and how all rows lie in each other.

There are no annotated parts in this measure: it says what the rows offer, not whether a level is a part of anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seemkit.evaluation.measures.measure import Asked, Measure, Outcome, Record, Tally

if TYPE_CHECKING:
    from PIL import Image

    from seemkit.data.sample import SampleObject
    from seemkit.prompting.prompt import Prompt
    from seemkit.result import Result

__all__ = ["Parts"]

PROTOCOL = "first click of RITM's protocol"


class Parts(Measure):
    """Levels that `select="parts"` finds for a click, and how far candidates contain each other."""

    smallest: int = Field(1, ge=1, description="pixels that an object has at least")

    def evaluate(self, asked: Asked) -> Outcome | None:
        from seemkit.evaluation.metrics.masks import iou

        levels, within, among, best, answer = [], [], [], [], []
        shown: tuple[SampleObject, Result, Prompt] | None = None
        for each in asked.objects(self.smallest):
            prompt = _click(asked, each)
            nested = asked.model.segment(asked.scene, [prompt], select="parts")
            every = asked.model.segment(asked.scene, [prompt], select="all")
            levels.append(len(nested))
            within.append(_containment(nested.masks))
            among.append(_containment(every.masks))
            scores = [iou(mask, each.read_mask(), asked.ignore) for mask in nested.masks]
            best.append(round(max(scores), 6))
            answer.append(round(iou(every.masks[0], each.read_mask(), asked.ignore), 6))
            if shown is None or len(nested) > len(shown[1]):
                shown = each, nested, prompt
        if shown is None:
            return None
        record = {"levels": levels, "within": within, "among": among, "best": best, "answer": answer}
        return Outcome(record, 1 / max(levels), partial(_draw, asked, *shown))  # type: ignore[arg-type]

    def tally(self, records: Sequence[Record], tally: Tally) -> None:
        levels, best, answer = ([v for r in records for v in r[n]] for n in ("levels", "best", "answer"))
        count = len(levels)
        for least in (2, 3):
            tally.share(f"{least} levels or more", sum(n >= least for n in levels), count, PROTOCOL)
        tally.add("levels", _mean(levels), PROTOCOL, count, note="mean over objects")
        for name, key in (("containment of levels", "within"), ("containment of all candidates", "among")):
            pairs = [v for r in records for v in r[key] if v is not None]
            note = "share of the smaller mask's pixels in the larger, mean over pairs, then objects"
            tally.add(name, _mean(pairs), PROTOCOL, len(pairs), note=note)
        tally.add(
            "mIoU of the best level",
            _mean(best),
            PROTOCOL,
            count,
            baseline=_mean(answer),
            baseline_name="the answer alone",
            note="the level is chosen by the truth",
        )


def _click(asked: Asked, each: SampleObject) -> Prompt:
    from seemkit.evaluation.conversation import click_prompt
    from seemkit.evaluation.protocols.ritm import RitmClicker

    click = RitmClicker(each.read_mask(), asked.ignore, asked.scene.grid).next(None)
    assert click is not None, "the object has a pixel that counts"
    return click_prompt(click)


def _containment(masks: NDArray[np.bool_]) -> float | None:
    """Mean over pairs of the share of the smaller mask that lies in the larger; None without a pair."""
    from seemkit.evaluation.metrics.masks import contained

    solid = sorted((mask for mask in masks if mask.any()), key=lambda mask: int(mask.sum()))
    shares = [contained(small, large) for small, large in combinations(solid, 2)]
    return round(float(np.mean(shares)), 6) if shares else None


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _draw(asked: Asked, each: SampleObject, nested: Result, prompt: Prompt) -> Image.Image:
    from seemkit.evaluation.comparison import compare, named_layers, one_layer

    names = ("whole", "part", "subpart")[: len(nested)]
    answer = named_layers(list(nested.masks), list(names))
    title = f"{len(nested)} level{'s' * (len(nested) != 1)}: score {1 / len(nested):.2f}, the lower the more levels"
    return compare(asked.image, one_layer(each.read_mask()), answer, title, prompts=[prompt])

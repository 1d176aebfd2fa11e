"""Video: the masks of the first frame, followed through the rest; J, F and J&F of DAVIS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue

from seemkit.errors import SeemkitError
from seemkit.evaluation.measures.measure import AskedVideo, Measure, Outcome, Record, Tally

if TYPE_CHECKING:
    from PIL import Image

    from seemkit.data.sample import Sample

__all__ = ["Video"]

Mask = NDArray[np.bool_]
Answered: TypeAlias = "tuple[Sample, dict[str, Mask]]"
"""A frame, and the answers by object."""
WAYS = {True: "with memory", False: "without memory"}


class Video(Measure):
    """J (IoU), F (boundaries) and their mean, over the frames of an object, then over objects."""

    unit: ClassVar[Literal["picture", "video"]] = "video"

    memory: tuple[bool, ...] = Field(
        (True, False),
        min_length=1,
        description="whether a frame sees the mask of the one before; both are measured",
    )
    last: bool = Field(
        False,
        description="whether the last frame counts, as in some reports; DAVIS leaves out first and last",
    )

    def needs(self) -> str:
        left_out, count = ("the first does", "two") if self.last else ("the first and the last do", "three")
        return f"a video needs {count} frames, of which {left_out} not count ('limit' is how many of each are taken)"

    def evaluate(self, asked: AskedVideo) -> Outcome | None:
        record: dict[str, JsonValue] = {}
        worst: tuple[float, Sample, str, Mask] | None = None
        for memory in self.memory:
            scores: dict[str, dict[str, list[float]]] = {}
            for sample, masks in self._counted(self._follow(asked, memory)):
                for name, (j, f) in _measure(sample, masks).items():
                    of = scores.setdefault(name, {"J": [], "F": []})
                    of["J"].append(round(j, 6))
                    of["F"].append(round(f, 6))
                    if worst is None or (j + f) / 2 < worst[0]:
                        worst = (j + f) / 2, sample, name, masks[name]
            record[WAYS[memory]] = scores  # type: ignore[assignment]
        if worst is None:
            return None
        return Outcome(record, worst[0], partial(_draw, asked, *worst))

    def tally(self, records: Sequence[Record], tally: Tally) -> None:
        left_out = "first frame" if self.last else "first and last frame"
        for memory in self.memory:
            way = WAYS[memory]
            protocol = f"DAVIS J and F, first frame's mask as reference, {way}, {left_out} not counted"
            objects = [scores for record in records for scores in record[way].values()]
            frames = sum(len(scores["J"]) for scores in objects)
            for record in records if len(records) > 1 else ():
                mine = list(record[way].values())
                number = sum(len(scores["J"]) for scores in mine)
                tally.add(f"J&F {record['key']}, {way}", _mean(mine, "JF"), protocol, number)
            for name, letters in (("J", "J"), ("F", "F"), ("J&F", "JF")):
                note = f"mean over frames, then over {len(objects)} object{'s' * (len(objects) != 1)}"
                tally.add(f"{name}, {way}", _mean(objects, letters), protocol, frames, note=note)

    def _counted(self, frames: Iterator[Answered]) -> Iterator[Answered]:
        """Without the first frame, and without the last if that does not count; one frame is held back."""
        next(frames, None)
        held: Answered | None = None
        for frame in frames:
            if held is not None:
                yield held
            held = frame
        if held is not None and self.last:
            yield held

    def _follow(self, asked: AskedVideo, memory: bool) -> Iterator[Answered]:
        """Each frame with the answers by object."""
        from seemkit.prompting.read import prompt_type

        first = next(asked.frames(), None)
        if first is None:
            return
        masks = _masks(first)
        if not masks:
            raise SeemkitError(f"the first frame {first.key!r} marks no object to follow", path=first.key)
        asks = {n: [prompt_type("mask").model_validate({"mask": mask})] for n, mask in masks.items()}
        results = asked.model.track((s.image for s in asked.frames()), asks, memory=memory)  # type: ignore[misc]
        for sample, result in zip(asked.frames(), results, strict=True):
            yield sample, dict(zip(result.objects, result.masks, strict=True))


def _masks(sample: Sample) -> dict[str, Mask]:
    """The objects of a frame by name: what the data set calls them, else their place."""
    return {
        each.key or str(place): each.read_mask()
        for place, each in enumerate(sample.objects, start=1)
        if not each.is_crowd
    }


def _measure(sample: Sample, masks: dict[str, Mask]) -> dict[str, tuple[float, float]]:
    """J and F of every object that is followed; one that is gone should have no pixel."""
    from seemkit.evaluation.metrics.boundary import boundary_f
    from seemkit.evaluation.metrics.masks import iou

    real, ignore = _masks(sample), sample.read_ignore()
    nothing = np.zeros(next(iter(masks.values())).shape, bool)
    return {
        name: (iou(mask, real.get(name, nothing), ignore), boundary_f(mask, real.get(name, nothing)))
        for name, mask in masks.items()
    }


def _mean(objects: Sequence[dict[str, list[float]]], letters: str) -> float:
    """Mean over objects of the mean over frames of the mean of the letters."""
    each = [float(np.mean([np.mean(scores[letter]) for letter in letters])) for scores in objects]
    return float(np.mean(each)) if each else float("nan")


def _draw(asked: AskedVideo, score: float, sample: Sample, name: str, mask: Mask) -> Image.Image:
    from seemkit.evaluation.comparison import compare, one_layer

    real = _masks(sample).get(name, np.zeros_like(mask))
    frame = sample.key if sample.key.startswith(asked.key) else f"{asked.key} {sample.key}"
    title = f"{frame}: J&F {score:.2f}"
    return compare(sample.image, one_layer(real), one_layer(mask), title)  # type: ignore[arg-type]

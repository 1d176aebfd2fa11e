"""A made-up model with the part of the public face that evaluators use; its answers are known in advance."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seemkit.data.dataset import DatasetInfo
from seemkit.data.sample import Category, Sample, SampleObject
from seemkit.evaluation.measures.measure import Asked, Tally
from seemkit.geometry.grid import Grid
from seemkit.pipeline.everything import Thresholds

Answer = Callable[[np.ndarray, Sequence[Any]], np.ndarray]


@dataclass
class MadeUpModel:
    """Gives `answer(image, prompts)` for the prompts of every object and keeps what was asked.

    Everything mode gives `everything(image)`, whatever that is.
    """

    answer: Answer | None = None
    label: str = "dog"
    everything_answer: Callable[[np.ndarray], Any] | None = None
    asked: list[list[Any]] = field(default_factory=list)
    memories: list[Any] = field(default_factory=list)
    encodes: int = 0
    thresholds: Thresholds = field(default_factory=Thresholds)

    def encode(self, image: np.ndarray) -> SimpleNamespace:
        self.encodes += 1
        size = image.shape[:2]
        return SimpleNamespace(image=image, grid=Grid(*size), padded=size, size=size)

    def segment(
        self, scene: Any, prompts: Sequence[Any], vocabulary: Sequence[str] = (), memory: Any = None
    ) -> SimpleNamespace:
        assert self.answer is not None
        self.asked.append(list(prompts))
        self.memories.append(memory)
        image = scene if isinstance(scene, np.ndarray) else scene.image
        names = list(dict.fromkeys(p.object for p in prompts))
        masks = np.stack([self.answer(image, [p for p in prompts if p.object == name]) for name in names])
        logits = np.where(masks, 1.0, -1.0).astype(np.float32)
        labels = (((self.label, 1.0),),) * len(names)
        return SimpleNamespace(
            masks=masks, labels=labels, logits=logits, objects=tuple(names), names=(self.label,) * len(names)
        )

    def everything(self, scene: Any, **asked: Any) -> Any:
        assert self.everything_answer is not None
        self.asked.append([asked])
        return self.everything_answer(scene.image)

    def track(
        self, frames: Iterable[np.ndarray], objects: Mapping[str, Sequence[Any]], memory: bool = True
    ) -> Iterator[SimpleNamespace]:
        prompts = [p.model_copy(update={"object": name}) for name, some in objects.items() for p in some]
        for frame in frames:
            yield self.segment(frame, prompts, memory=memory)


@pytest.fixture
def made_up() -> type[MadeUpModel]:
    return MadeUpModel


NAMES = (Category("dog"), Category("cat"), Category("floor-other-merged", is_thing=False))


def rectangle(top: int, left: int, bottom: int, right: int, size: tuple[int, int] = (40, 60)) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[top:bottom, left:right] = True
    return mask


def make_sample(*objects: Any, key: str = "k", ignore: np.ndarray | None = None, **more: Any) -> Sample:
    """A black photo of 40 x 60 with objects: masks, or (mask, name), or SampleObject."""
    made = []
    for each in objects:
        if isinstance(each, np.ndarray):
            made.append(SampleObject(each))
        elif isinstance(each, tuple):
            mask, name = each
            made.append(SampleObject(mask, name, is_thing=not name.endswith("merged")))
        else:
            made.append(each)
    return Sample(key, np.zeros((40, 60, 3), np.uint8), tuple(made), ignore, (40, 60), **more)


def ask(model: Any, sample: Sample, seed: int = 0, **info: Any) -> Asked:
    about = DatasetInfo("made up", **{"categories": NAMES, "panoptic": True, "complete": True, **info})
    return Asked(model, sample, about, seed)


def tally_of(measure: Any, *records: Any, name: str = "m", seed: int = 0) -> Tally:
    """The figures of a measure over records, which get keys by their place."""
    made = Tally("made up", name, seed, DatasetInfo("made up", NAMES, panoptic=True, complete=True))
    measure.tally([{"key": f"k{n}", **record} for n, record in enumerate(records)], made)
    return made


@pytest.fixture
def tools() -> SimpleNamespace:
    """What tests of measures share: rectangle, make_sample, ask, tally_of, values."""
    return SimpleNamespace(
        rectangle=rectangle,
        make_sample=make_sample,
        ask=ask,
        tally_of=tally_of,
        values=lambda made: {figure.name: figure.value for figure in made.figures},
    )

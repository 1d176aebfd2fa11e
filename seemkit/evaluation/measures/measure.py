"""The base of measures: what is asked about one picture, what is kept of the answer, and the figures over all."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, JsonValue

from seemkit.evaluation.figures import Curve, Figure

if TYPE_CHECKING:
    from PIL import Image

    from seemkit.data.dataset import DatasetInfo
    from seemkit.data.sample import Sample, SampleObject
    from seemkit.pipeline.model import Model
    from seemkit.scene import Scene

__all__ = ["Asked", "AskedVideo", "Measure", "Outcome", "Record", "Tally"]

Record = Mapping[str, Any]
"""What is kept of one picture: plain values."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A picture that a model is asked about; it is encoded once, whatever is asked.

    Attributes:
        model: the model.
        sample: the picture and what is marked in it, decoded.
        info: what is known of the data set.
        seed: of everything that is drawn.
    """

    model: Model
    sample: Sample
    info: DatasetInfo
    seed: int = 0

    @cached_property
    def scene(self) -> Scene:
        """What the encoder makes of the picture."""
        return self.model.encode(self.image)

    @property
    def image(self) -> NDArray[np.uint8]:
        """(H, W, 3)."""
        assert isinstance(self.sample.image, np.ndarray), "the sample was decoded"
        return self.sample.image

    @cached_property
    def ignore(self) -> NDArray[np.bool_]:
        """(H, W), pixels that count neither way."""
        found = self.sample.read_ignore()
        return np.zeros(self.image.shape[:2], bool) if found is None else found

    def objects(self, smallest: int = 1, *, things: bool = False) -> list[SampleObject]:
        """What is marked, without crowds, what has fewer pixels than `smallest`, and if asked without stuff."""
        return [
            each
            for each in self.sample.objects
            if not each.is_crowd
            and (each.is_thing or not things)
            and int((each.read_mask() & ~self.ignore).sum()) >= smallest
        ]

    def rng(self, *names: str) -> np.random.Generator:
        """A generator for what is drawn under these names: it depends on them, the key and the seed alone."""
        words = " ".join((self.sample.key, *names))
        return np.random.default_rng([self.seed, zlib.crc32(words.encode())])


@dataclass(frozen=True, eq=False)
class AskedVideo:
    """A video that a model is asked about.

    Attributes:
        model: the model.
        key: names the video within its data set.
        frames: reads the frames, decoded one after another; may be called any number of times.
        info: what is known of the data set.
        seed: of everything that is drawn.
    """

    model: Model
    key: str
    frames: Callable[[], Iterator[Sample]]
    info: DatasetInfo
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Outcome:
    """What is kept of one picture.

    Attributes:
        record: plain values that the figures are made of.
        score: how good the answer is; pictures with the lowest are the worst cases. None for none.
        picture: draws the answer beside the truth.
        left_out: what the record is without since a plugin was at fault, a sentence each.
    """

    record: dict[str, JsonValue]
    score: float | None = None
    picture: Callable[[], Image.Image] | None = None
    left_out: tuple[str, ...] = ()


@dataclass
class Tally:
    """Figures and curves of one measure on one data set.

    Attributes:
        split: the data.
        measure: what the configuration calls the measure.
        seed: of everything that is drawn.
        info: what is known of the data set.
    """

    split: str
    measure: str
    seed: int
    info: DatasetInfo
    figures: list[Figure] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)

    def add(self, name: str, value: float, protocol: str, count: int, **more: Any) -> None:
        """Enter a figure."""
        self.figures.append(
            Figure(self.split, self.measure, name, value, protocol, count, seed=self.seed, **more)
        )

    def share(self, name: str, hits: int, count: int, protocol: str, **more: Any) -> None:
        """Enter a share with its interval; NaN of nothing."""
        from seemkit.evaluation.metrics.shares import share_interval

        value = hits / count if count else float("nan")
        self.add(name, value, protocol, count, interval=share_interval(hits, count), **more)

    def curve(
        self, label: str, values: Sequence[float] | NDArray[np.float64], protocol: str, count: int
    ) -> None:
        """Enter a curve of mean IoU."""
        numbers = tuple(float(v) for v in values)
        self.curves.append(
            Curve(self.split, self.measure, label, "mean IoU", protocol, numbers, count, self.seed)
        )


class Measure(BaseModel, ABC):
    """One thing to measure; its fields are the options of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: ClassVar[Literal["picture", "video"]] = "picture"
    """What `evaluate` is given."""

    def lacks(self, info: DatasetInfo) -> str | None:
        """What a data set would have to have for this to be measured on it; None if it has all."""
        del info
        return None

    def needs(self) -> str:
        """What there has to be in a picture or video to be measured, for the sentence on those without."""
        return ""

    @abstractmethod
    def evaluate(self, asked: Any) -> Outcome | None:
        """Ask the model about one picture (or one video); None if there is nothing to measure in it."""

    @abstractmethod
    def tally(self, records: Sequence[Record], tally: Tally) -> None:
        """Enter the figures over all records."""

"""The i-th sample that is learned from: read, looked at, asked about; whatever is drawn for it has its own seed."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch.utils.data import Dataset

from seemkit.data.sample import Sample, SampleObject
from seemkit.prompting.simulate import SimulationError
from seemkit.training.augment import Augment
from seemkit.training.batch import Batch
from seemkit.training.cell import Asker
from seemkit.training.copy_paste import copy_paste
from seemkit.training.mixture import Mixture
from seemkit.training.sources import OpenSource
from seemkit.training.view import View

__all__ = ["Drawn", "Feed", "SourceFault"]

TRIES = 20
"""Pictures in a row of which none can be used, until that is an error."""


@dataclass(frozen=True)
class SourceFault:
    """What of which data set could not be used, and why."""

    source: str
    key: str
    cause: str


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is learned from one picture.

    Attributes:
        number: of the picture in the order of the run.
        batch: its view, or its pair of views; None if nothing could be read.
        faults: what was found to be wrong on the way.
        error: why training cannot go on, which is told here since errors do not leave worker processes whole.
    """

    number: int
    batch: Batch | None
    faults: tuple[SourceFault, ...] = ()
    error: str = ""


class Feed(Dataset[Drawn]):
    """Samples by number, for loaders of torch; the same number gives the same sample in every process.

    Args:
        sources: open data sets.
        mixture: which picture is which.
        augment: makes views.
        asker: draws how objects are asked for.
        seed: of everything.
        strict: give the first fault and nothing else.
    """

    def __init__(
        self,
        sources: Sequence[OpenSource],
        mixture: Mixture,
        augment: Augment,
        asker: Asker,
        seed: int,
        *,
        strict: bool = False,
    ) -> None:
        self.sources = list(sources)
        self.keys = [source.train.keys for source in self.sources]
        self.mixture = mixture
        self.augment = augment
        self.asker = asker
        self.seed = seed
        self.strict = strict

    def __getitem__(self, number: int) -> Drawn:
        """The sample with a number from 0 on."""
        faults: list[SourceFault] = []
        for attempt in range(TRIES):
            source, place = self.mixture(number) if not attempt else self.mixture.another(number, attempt)
            rng = np.random.default_rng([self.seed, 3, number, attempt])
            sample = self._read(source, place, faults)
            if sample is not None:
                sample = self._paste(sample, source, rng, faults)
            if self.strict and faults:
                return Drawn(number, None, tuple(faults))
            views = None if sample is None else self._look(sample, source, rng)
            if views is not None:
                try:
                    return Drawn(number, self._ask(views, rng), tuple(faults))
                except SimulationError as error:
                    return Drawn(number, None, tuple(faults), str(error))
            if sample is not None and any(map(self._is_asked, sample.objects)):
                said = "no object of it can be seen: its masks are empty"
                faults.append(SourceFault(self.sources[source].name, sample.key, said))
                if self.strict:
                    return Drawn(number, None, tuple(faults))
        return Drawn(number, None, tuple(faults))

    @cached_property
    def listing(self) -> list[str]:
        """SHA-256 of the keys of each source: which picture has which number hangs on them."""
        return [hashlib.sha256(json.dumps(keys).encode()).hexdigest() for keys in self.keys]

    def _read(self, source: int, place: int, faults: list[SourceFault]) -> Sample | None:
        """A loaded sample; what is wrong with it is entered."""
        opened = self.sources[source]
        sample, wrong = opened.train.checked(self.keys[source][place])
        faults += [SourceFault(opened.name, fault.key, fault.cause) for fault in wrong]
        return sample

    def _is_asked(self, each: SampleObject) -> bool:
        """Whether an object would be asked for if it could be seen."""
        return not each.is_crowd and (self.augment.stuff or each.is_thing)

    def _paste(
        self, sample: Sample, source: int, rng: np.random.Generator, faults: list[SourceFault]
    ) -> Sample:
        """The sample with objects of other pictures of its source in front of it, as often as is drawn."""
        options, own = self.augment.options, self.sources[source].copy_paste
        share = options.copy_paste if own is None else own
        for _ in range(options.pastes):
            if share <= rng.random():
                continue
            other = self._read(source, int(rng.integers(self.mixture.sizes[source])), faults)
            if other is not None:
                seed = int(rng.integers(2**31))
                sample = copy_paste(sample, other, seed, options.smallest, options.pasted)
        return sample

    def _look(self, sample: Sample, source: int, rng: np.random.Generator) -> tuple[View, ...] | None:
        first = self.augment.view(sample, int(rng.integers(2**31)), source)
        if first is None or not self.asker.refers:
            return None if first is None else (first,)
        return first, self.augment.again(sample, first, int(rng.integers(2**31))) or first

    def _ask(self, views: Sequence[View], rng: np.random.Generator) -> Batch:
        paired = len(views) == 2
        cells = [cell for view in views for cell in self.asker.cells(view, rng, partner=paired)]
        seeds = tuple(int(rng.integers(2**62)) for _ in views)
        return Batch(tuple(views), tuple(cells), seeds, paired)

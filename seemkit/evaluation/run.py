"""Runs an evaluation: every measure on every picture of every data set, once, and the figures over all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from seemkit.data.dataset import UNREADABLE, Dataset, DatasetInfo, IndexedDataset
from seemkit.data.hundredth import hundredth
from seemkit.data.open import open_dataset
from seemkit.data.sample import Sample
from seemkit.errors import SeemkitError
from seemkit.evaluation.config import DataSource, EvalConfig
from seemkit.evaluation.figures import Fault, Report
from seemkit.evaluation.ledger import Ledger
from seemkit.evaluation.measures.measure import Asked, AskedVideo, Measure, Outcome, Record, Tally
from seemkit.evaluation.slug import slug
from seemkit.evaluation.worst import WorstCases

if TYPE_CHECKING:
    from seemkit.pipeline.model import Model

__all__ = ["Evaluation", "open_datasets"]

Say = Callable[[str], None]
LEFT_OUT = "left_out"
"""Where a record has what it is without."""
UNCOUNTED = ("limit", "worst", "on_fault", "device", "threads", "data")
"""Fields that do not change what is found in a picture, so that an evaluation may go on with others.

The limit does where videos are measured: it is how many frames of each.
"""


def open_datasets(config: EvalConfig) -> dict[str, Dataset]:
    """The data sets of an evaluation by name.

    Raises:
        SeemkitError: one cannot be opened, or lacks what a measure needs; the sentence says which.
    """
    found = {}
    for split, source in config.datasets.items():
        try:
            found[split] = _open(source)
        except SeemkitError as error:
            raise SeemkitError(f"datasets.{split}: {error}", path=f"datasets.{split}") from error
        if not any(measure.lacks(found[split].info) is None for measure in config.measures.values()):
            name, measure = next(iter(config.measures.items()))
            said = f"nothing can be measured on it: {name!r} needs {measure.lacks(found[split].info)}"
            raise SeemkitError(f"datasets.{split}: {said}", path=f"datasets.{split}")
    return found


def _open(source: DataSource) -> Dataset:
    dataset = open_dataset(source.slot)
    if source.hundredths is None and source.keys is None:
        return dataset
    if not isinstance(dataset, IndexedDataset):
        raise SeemkitError("a part of it is asked for, but its keys are not known before it is read")
    keys = list(dataset.keys) if source.keys is None else _read_keys(source.keys)
    if source.hundredths is not None:
        first, end = source.hundredths
        keys = [key for key in keys if first <= hundredth(key) < end]
        if not keys:
            raise SeemkitError(f"no picture lies in the hundredths {first} to {end}")
    return dataset.subset(keys)


def _read_keys(path: Path) -> list[str]:
    """Keys of a text file, each once, in its order."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SeemkitError(f"the keys {str(path)!r} cannot be read: {error}", path="keys") from error
    keys = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not keys:
        raise SeemkitError(f"{str(path)!r} names no picture", path="keys")
    return keys


@dataclass
class Evaluation:
    """One run.

    Attributes:
        config: what is measured.
        datasets: on what, by name.
        model: the model.
        folder: where records and worst cases are kept; None keeps nothing.
        restart: whether what the folder has is forgotten.
        say: is told what is going on.
        faults: what could not be measured so far.
    """

    config: EvalConfig
    datasets: Mapping[str, Dataset]
    model: Model
    folder: Path | None = None
    restart: bool = False
    say: Say = print
    faults: list[Fault] = field(default_factory=list)

    def run(self, about: Mapping[str, str] | None = None) -> Report:
        """Measure what is not measured yet, and tally everything."""
        self.faults.clear()
        report = Report(about or {}, faults=self.faults)
        with Ledger(self.folder, self._identity(), restart=self.restart) as ledger:
            for split, dataset in self.datasets.items():
                measures = self._measures(split, dataset.info)
                seen = {
                    "picture": self._pictures(split, dataset, _of_unit(measures, "picture"), ledger),
                    "video": self._videos(split, dataset, _of_unit(measures, "video"), ledger),
                }
                self.faults += [Fault(split, fault.key, fault.cause) for fault in dataset.faults]
                for name, measure in measures.items():
                    tally, keys = Tally(split, name, self.config.seed, dataset.info), seen[measure.unit]
                    records = [r for r in ledger.records(split, name) if r["key"] in keys]
                    measure.tally(records, tally)
                    self._note_left_out(split, name, records)
                    self._note_nothing(split, name, measure.needs(), ledger, keys)
                    report.figures += tally.figures
                    report.curves += tally.curves
        return report

    def _identity(self) -> dict[str, JsonValue]:
        plain = self.config.model_dump(mode="json")
        kept = {k: v for k, v in plain.items() if k not in UNCOUNTED}
        if _of_unit(self.config.measures, "video") and self.config.limit is not None:
            kept["limit"] = self.config.limit
        return kept | {"weights": self.model.fingerprint}

    def _measures(self, split: str, info: DatasetInfo) -> dict[str, Measure]:
        """Those that the data set has everything for; what the others lack is said among the faults."""
        found = {}
        for name, measure in self.config.measures.items():
            lacking = measure.lacks(info)
            if lacking is None:
                found[name] = measure
            else:
                self.faults.append(Fault(split, "", f"the data set lacks {lacking}", name, applies=False))
        return found

    def _pictures(
        self, split: str, dataset: Dataset, measures: Mapping[str, Measure], ledger: Ledger
    ) -> set[str]:
        """Measure pictures; the keys of those that were asked for."""
        seen = set[str]()
        if not measures:
            return seen
        worst = self._worst(split, measures, ledger)
        total = (
            min(len(dataset), self.config.limit or len(dataset))
            if isinstance(dataset, IndexedDataset)
            else None
        )
        clock = _Clock(self.say, split, total)
        for sample in islice(self._samples(split, dataset), self.config.limit):
            seen.add(sample.key)
            waiting = {n: m for n, m in measures.items() if (split, n, sample.key) not in ledger}
            clock.tick(fresh=bool(waiting))
            try:
                whole = sample.loaded() if waiting else sample  # what is measured already needs no image
                dataset.inspect(whole)
            except UNREADABLE as error:
                dataset.reject(sample.key, error)
                self._stop_if_asked(split, sample.key, error)
                continue
            self._stop_at_faults(split, dataset)
            asked = Asked(self.model, whole, dataset.info, self.config.seed)
            for name, measure in waiting.items():
                self._ask(measure, asked, (split, name, sample.key), ledger, worst.get(name))
        return seen

    def _samples(self, split: str, dataset: Dataset) -> Iterator[Sample]:
        """Those that can be read; the first fault of the data ends it if that is asked for."""
        for sample in dataset:
            self._stop_at_faults(split, dataset)
            yield sample
        self._stop_at_faults(split, dataset)

    def _videos(
        self, split: str, dataset: Dataset, measures: Mapping[str, Measure], ledger: Ledger
    ) -> set[str]:
        """Measure videos; the keys of all."""
        if not measures:
            return set()
        if not isinstance(dataset, IndexedDataset):
            raise SeemkitError(
                f"datasets.{split}: a video is read twice, and this data set can only be read through",
                path=f"datasets.{split}",
            )
        worst = self._worst(split, measures, ledger)
        videos = _videos_of(self._samples(split, dataset), split)
        clock = _Clock(self.say, split, len(videos))
        for key, frames in videos.items():
            waiting = {n: m for n, m in measures.items() if (split, n, key) not in ledger}
            clock.tick(fresh=bool(waiting))
            part = dataset.subset(frames[: self.config.limit])
            asked = AskedVideo(self.model, key, _reader(part), dataset.info, self.config.seed)
            for name, measure in waiting.items():
                self._ask(measure, asked, (split, name, key), ledger, worst.get(name))
        return set(videos)

    def _ask(
        self,
        measure: Measure,
        asked: Asked | AskedVideo,
        place: tuple[str, str, str],
        ledger: Ledger,
        worst: WorstCases | None,
    ) -> None:
        split, name, key = place
        try:
            outcome: Outcome | None = measure.evaluate(asked)
        except SeemkitError as error:
            self.faults.append(Fault(split, key, str(error), name))
            self._stop_if_asked(split, key, error)
            return
        if outcome is None:
            ledger.add(place, None)
            return
        if worst is not None and outcome.score is not None and outcome.picture is not None:
            worst.see(key, outcome.score, outcome.picture)
        for cause in outcome.left_out:
            self._stop_if_asked(split, key, SeemkitError(cause))
        left_out: dict[str, JsonValue] = {LEFT_OUT: list(outcome.left_out)} if outcome.left_out else {}
        ledger.add(place, outcome.record | left_out, outcome.score)

    def _worst(self, split: str, measures: Iterable[str], ledger: Ledger) -> dict[str, WorstCases]:
        if self.folder is None or self.config.worst == 0:
            return {}
        return {
            name: WorstCases(
                self.folder / "worst" / slug(f"{split}-{name}"),
                self.config.worst,
                ledger.scores(split, name),
            )
            for name in measures
        }

    def _note_left_out(self, split: str, name: str, records: Sequence[Record]) -> None:
        """Say which types of prompts the figures are without, in how many pictures."""
        causes = Counter(cause for record in records for cause in record.get(LEFT_OUT, ()))
        for cause, count in causes.items():
            self.faults.append(Fault(split, "", f"left out in {count} of {len(records)}: {cause}", name))

    def _note_nothing(self, split: str, name: str, needs: str, ledger: Ledger, keys: set[str]) -> None:
        """Say in how many pictures there was nothing to measure, and what they would need."""
        nothing, seen = ledger.empty(split, name, keys)
        if nothing:
            said = f"nothing to measure in {nothing} of {seen}{f': {needs}' if needs else ''}"
            self.faults.append(Fault(split, "", said, name, applies=False))

    def _stop_at_faults(self, split: str, dataset: Dataset) -> None:
        if self.config.on_fault == "stop" and dataset.faults:
            first = dataset.faults[0]
            raise SeemkitError(f"{split}, {first.key!r}: {first.cause}", path=first.key)

    def _stop_if_asked(self, split: str, key: str, error: Exception) -> None:
        if self.config.on_fault == "stop":
            raise SeemkitError(f"{split}, {key!r}: {error}", path=key) from error


@dataclass
class _Clock:
    """Says how far a data set is, and how long the rest will take."""

    say: Say
    split: str
    total: int | None
    seen: int = 0
    fresh: int = 0
    began: float = field(default_factory=time.monotonic)

    def tick(self, *, fresh: bool) -> None:
        spent = time.monotonic() - self.began
        left = ""
        if self.total is not None and self.fresh:
            seconds = spent / self.fresh * (self.total - self.seen)
            left = f", {seconds:.0f} s left" if seconds < 120 else f", {seconds / 60:.0f} min left"
        self.seen += 1
        self.fresh += fresh
        self.say(f"{self.split}: {self.seen}{'' if self.total is None else f' of {self.total}'}{left}")


def _of_unit(measures: Mapping[str, Measure], unit: str) -> dict[str, Measure]:
    return {name: measure for name, measure in measures.items() if measure.unit == unit}


def _videos_of(samples: Iterable[Sample], split: str) -> dict[str, list[str]]:
    """Keys of the frames of each video; pictures without a video are one, named as the data set."""
    videos: dict[str, list[str]] = {}
    for sample in samples:
        videos.setdefault(sample.sequence or split, []).append(sample.key)
    return videos


def _reader(part: IndexedDataset) -> Callable[[], Iterator[Sample]]:
    """Reads frames; one that is wrong is the video's fault, since leaving it out would break it."""

    def read() -> Iterator[Sample]:
        for place in range(len(part)):
            yield part[place].loaded()

    return read

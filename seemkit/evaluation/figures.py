"""Figures: numbers that carry how they were measured, as JSON and as a Markdown table."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seemkit.evaluation.metrics.shares import Paired

__all__ = ["Curve", "Fault", "Figure", "Report"]


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        split: the data that it was measured on.
        measure: which part of the evaluation it belongs to, such as "clicks".
        name: of the number, such as "mIoU@3" or "NoC@85".
        value: the number; NaN if there was nothing to measure.
        protocol: how it was measured.
        count: over how many objects, phrases, pictures or frames.
        seed: of everything that is drawn.
        interval: the 95 % interval of a share.
        baseline: the same number without the model, or in a simpler way, to read it with.
        baseline_name: what that is.
        paired: of a share, how it and the baseline differ question by question.
        note: anything else.
    """

    split: str
    measure: str
    name: str
    value: float
    protocol: str
    count: int
    seed: int = 0
    interval: tuple[float, float] | None = None
    baseline: float | None = None
    baseline_name: str = ""
    paired: Paired | None = None
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """A number after each round, from the first on.

    Attributes:
        split: the data.
        measure: which part of the evaluation.
        label: which line of it, such as "box".
        quantity: what the values are, such as "mean IoU".
        protocol: how it was measured.
        values: after round 1, 2, ...
        count: over how many objects.
        seed: of everything that is drawn.
    """

    split: str
    measure: str
    label: str
    quantity: str
    protocol: str
    values: tuple[float, ...]
    count: int
    seed: int = 0


@dataclass(frozen=True)
class Fault:
    """Something that could not be measured: a picture that cannot be read, or one that a measure failed on.

    Attributes:
        split: the data.
        key: of the picture; empty for what is wrong with none.
        cause: what is wrong.
        measure: that failed, if one did.
        applies: False if nothing is wrong: the data have nothing that the measure could measure.
    """

    split: str
    key: str
    cause: str
    measure: str = ""
    applies: bool = True


@dataclass
class Report:
    """All figures of an evaluation.

    Attributes:
        about: what was run: command, assembly, weights, commit, machine, ...
        figures: the numbers.
        curves: numbers by round.
        faults: what is missing from them, and why.
    """

    about: Mapping[str, str] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON; each figure and curve carries `about`, so that it can be quoted alone."""
        about = dict(self.about)
        return {
            "about": about,
            "figures": [{**_plain(asdict(figure)), "run": about} for figure in self.figures],
            "curves": [{**_plain(asdict(curve)), "run": about} for curve in self.curves],
            "faults": [asdict(fault) for fault in self.faults],
        }

    def to_json(self) -> str:
        """The report as JSON; a number that is not there is null."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """The report as a table, one row a figure; what was run is above, protocols by number and faults are below."""
        lines = [f"{name}: {value}  " for name, value in self.about.items()]
        protocols = list(dict.fromkeys(map(_protocol, self.figures)))
        rows = [_row(figure, protocols.index(_protocol(figure)) + 1) for figure in self.figures]
        head = ("data", "measure", "figure", "value", "95 %", "baseline", "count", "seed", "protocol")
        lines += ["", *_table(head, rows)]
        if protocols:
            numbered = [f"{number}. {protocol}" for number, protocol in enumerate(protocols, start=1)]
            lines += ["", "Protocols:", "", *numbered]
        for applies, said in ((True, "could not be measured"), (False, "not applicable")):
            chosen = [fault for fault in self.faults if fault.applies == applies]
            if chosen:
                lines += ["", f"{len(chosen)} {said}:", ""]
                lines += _table(
                    ("data", "measure", "key", "cause"),
                    [(fault.split, fault.measure, fault.key, fault.cause) for fault in chosen],
                )
        return "\n".join(lines) + "\n"

    def values(self) -> Mapping[tuple[str, str, str], float]:
        """Value by split, measure and name."""
        return {(f.split, f.measure, f.name): f.value for f in self.figures}


def _protocol(figure: Figure) -> str:
    return f"{figure.protocol}; {figure.note}" if figure.note else figure.protocol


def _row(figure: Figure, protocol: int) -> Sequence[str]:
    interval = "" if figure.interval is None else f"{figure.interval[0]:.3f} to {figure.interval[1]:.3f}"
    beside = f"{figure.baseline_name}; {figure.paired}" if figure.paired else figure.baseline_name
    baseline = "" if figure.baseline is None else f"{_number(figure.baseline)} ({beside})"
    value = _number(figure.value)
    count, seed = str(figure.count), str(figure.seed)
    return figure.split, figure.measure, figure.name, value, interval, baseline, count, seed, str(protocol)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *body]


def _plain(values: dict[str, object]) -> dict[str, object]:
    """NaN is no JSON."""
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()}

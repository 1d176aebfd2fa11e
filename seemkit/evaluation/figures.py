"""Figures: numbers that carry their protocol, split and seed, as JSON and as a Markdown table."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

__all__ = ["Figure", "Report"]


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        suite: what was evaluated, such as "grabcut clicks".
        name: of the number, such as "mIoU@3" or "NoC@85".
        value: the number.
        protocol: how it was measured.
        split: on what.
        count: over how many objects or frames.
        seed: of everything that is drawn.
        note: an interval or a baseline to read it with.
    """

    suite: str
    name: str
    value: float
    protocol: str
    split: str
    count: int
    seed: int = 0
    note: str = ""


@dataclass
class Report:
    """All figures of a run."""

    about: dict[str, str] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps({"about": self.about, "figures": [asdict(f) for f in self.figures]}, indent=1)

    def to_markdown(self) -> str:
        """The report as a table, one row a figure."""
        lines = [f"{key}: {value}  " for key, value in self.about.items()]
        lines += [
            "",
            "| suite | figure | value | objects | protocol | split | seed | note |",
            "|" + "---|" * 8,
        ]
        for f in self.figures:
            lines.append(
                f"| {f.suite} | {f.name} | {f.value:.3f} | {f.count} | {f.protocol} | {f.split} | {f.seed} | {f.note} |"
            )
        return "\n".join(lines) + "\n"

    def values(self) -> Mapping[tuple[str, str], float]:
        """Value by suite and name."""
        return {(f.suite, f.name): f.value for f in self.figures}

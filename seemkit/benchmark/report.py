"""What a run of the benchmark found: cases, their paths, and how these compare. JSON is its form on disk."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from seemkit.benchmark.machine import Machine
from seemkit.benchmark.timing import median, ratio

__all__ = ["FORMAT", "Case", "Figure", "Measured", "Ratio", "Report", "Setting"]

FORMAT: Literal[1] = 1
"""Of the JSON; it changes when a reader of the old form would be misled."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Setting(_Frozen):
    """What was measured: the model, its input, and how often."""

    assembly: str
    weights: str = Field(description="'random', 'default' for those of the assembly, or a path")
    overrides: dict[str, str | int | float | bool | None] = Field(
        default_factory=dict, description="options of the assembly that were set, by dotted path"
    )
    size: tuple[int, int] = Field(description="(H, W) of the padded input")
    device: str
    dtype: str = Field(description="of the weights")
    repeats: int = Field(description="runs of each path that count")


class Measured(_Frozen):
    """One path: one way to compute what a case computes."""

    name: str
    about: str = Field("", description="what it does, in a few words")
    seconds: list[float] = Field(default_factory=list, description="of each run")
    flops: int | None = Field(None, description="floating-point operations of one run")
    bytes: int | None = Field(None, description="memory; the case says of what")

    @property
    def median(self) -> float | None:
        """Seconds of the middle run."""
        return median(self.seconds) if self.seconds else None


class Ratio(_Frozen):
    """How one path compares to another of the same case."""

    of: str
    to: str
    value: float
    what: Literal["time", "flops", "bytes"] = "time"
    target: float | None = Field(None, description="the largest value that is aimed at")

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without one."""
        return None if self.target is None else self.value <= self.target


class Figure(_Frozen):
    """A number that is no time: a count, a difference, bytes."""

    name: str
    value: float
    unit: str = ""


class Case(_Frozen):
    """Paths that compute the same, run in turn."""

    group: str = Field(description="the word of the command that runs it")
    name: str
    about: str = Field(description="what is computed, in a sentence")
    paths: list[Measured] = Field(default_factory=list)
    ratios: list[Ratio] = Field(default_factory=list)
    figures: list[Figure] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list, description="what a reader has to know, in sentences")
    load: float | None = Field(None, description="load average of the minute before the end")

    def path(self, name: str) -> Measured:
        """The path of a name."""
        return next(path for path in self.paths if path.name == name)

    def compare(self, of: str, to: str, target: float | None = None) -> Ratio:
        """Time of one path as a share of another's, run by run."""
        value = ratio(self.path(of).seconds, self.path(to).seconds)
        return Ratio(of=of, to=to, value=value, target=target)


class Report(_Frozen):
    """One run of `seemkit bench`."""

    format: Literal[1] = FORMAT
    machine: Machine
    setting: Setting
    cases: list[Case]
    command: str = Field(description="that repeats it")

"""A whole sweep: what it was made with and what became of every model; JSON is its form on disk."""

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from seemkit.sweep.trial import State, Trial

__all__ = ["SweepReport"]

T = TypeVar("T", bound=Trial)


class SweepReport(BaseModel, Generic[T]):
    """The trials of a sweep, by the order of names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    about: dict[str, JsonValue] = Field(description="component, versions, and the most parameters to run")
    trials: list[T]

    def of(self, state: State) -> list[T]:
        """The trials that ended so."""
        return [trial for trial in self.trials if trial.state == state]

    def to_json(self) -> str:
        """The report on as many lines as there are trials, so that versions of it can be compared."""
        head = f'{{"format": {self.format}, "about": {self.model_dump_json(include={"about"})[9:-1]}, "trials": ['
        lines = ",\n".join(trial.model_dump_json(exclude_defaults=True) for trial in self.trials)
        return f"{head}\n{lines}\n]}}\n"

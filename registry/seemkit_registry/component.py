"""What a listing knows of a component, without having imported it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from seemkit_registry.fault import Fault
from seemkit_registry.source import Source

__all__ = ["Component", "ProvidedBy", "State"]

State = Literal["declared", "loaded", "quarantined"]
ProvidedBy = Literal["entry point", "registered", "file"]


@dataclass(frozen=True)
class Component:
    """Anything that a plugin provides: a value that describes it, as of the moment of asking.

    Attributes:
        kind: ``prompts``, ``backbones``, ...
        name: its bare name, such as ``points``.
        revision: the number behind ``@`` in its declaration; None if it declared none, which counts as 1.
        distribution: normalised name of the distribution, or ``local``.
        version: of the distribution; empty for local ones.
        api: range of host versions that the distribution asks for, such as ``<2,>=0.1``; empty means any.
        value: ``module:attribute`` behind the entry point.
        extras: extras of the distribution that the component needs.
        provided_by: how it got here.
        state: ``declared`` until its code has run, then ``loaded``; ``quarantined`` if it is at fault.
        fault: what is wrong with it, if something is.
    """

    kind: str
    name: str
    distribution: str
    version: str
    value: str
    revision: int | None = None
    api: str = ""
    extras: tuple[str, ...] = ()
    provided_by: ProvidedBy = "entry point"
    state: State = "declared"
    fault: Fault | None = None
    source: Source = field(default_factory=lambda: Source(""), repr=False, compare=False)

    @property
    def versioned(self) -> str:
        """``points``, or ``points@2`` if it declared a revision."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"

    @property
    def qualified(self) -> str:
        """``distribution/points`` or ``distribution/points@2``: the name that is never ambiguous."""
        return f"{self.distribution}/{self.versioned}"

    @property
    def attribute(self) -> str:
        """Last name of what is behind the entry point, such as ``Point`` of ``module:Point [extra]``."""
        return self.value.partition("[")[0].rpartition(":")[2].rpartition(".")[2].strip()

    @property
    def way_out(self) -> str:
        """What a user can do if the component is at fault, for a message."""
        if self.provided_by != "entry point":
            return "correct its definition"
        plugin = self.distribution
        return f"update it (pip install --upgrade {plugin}) or remove it (pip uninstall {plugin})"

    @property
    def summary(self) -> str:
        """First line of its docstring, read from the source without importing it."""
        return self.source.summary

    @property
    def file(self) -> Path | None:
        """Its source file, if it can be found without importing."""
        return self.source.file

    @property
    def line(self) -> int | None:
        """Line of its definition in `file`, counted from 1."""
        return self.source.line

    def as_dict(self) -> dict[str, str | int | list[str] | None]:
        """The same as plain data, for JSON."""
        return {
            "kind": self.kind,
            "name": self.versioned,
            "qualified": self.qualified,
            "distribution": self.distribution,
            "version": self.version,
            "api": self.api,
            "value": self.value,
            "extras": list(self.extras),
            "summary": self.summary,
            "state": self.state,
            "fault": self.fault.one_line if self.fault else None,
            "provided_by": self.provided_by,
            "file": str(self.file) if self.file else None,
            "line": self.line,
        }

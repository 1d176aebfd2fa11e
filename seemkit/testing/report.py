"""What came of the checks of one plugin: a plain value, as text or JSON."""

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

__all__ = ["Outcome", "Report"]

State = Literal["passed", "failed", "skipped"]
FORMAT = 1


@dataclass(frozen=True)
class Outcome:
    """What came of one check.

    Attributes:
        name: of the check.
        contract: what it holds a plugin to.
        state: passed, failed or skipped.
        reason: the sentence of a failure, or why it was skipped; empty if it passed.
    """

    name: str
    contract: str
    state: State
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """What came of all checks of one plugin, and with what it was run.

    Attributes:
        kind: of component, such as ``prompts``.
        name: of the component, or the type of a prompt.
        distribution: that provides it; ``local`` if none does.
        version: of the distribution; empty for ``local``.
        seemkit: version of seemkit.
        api: version of `seemkit.api`.
        torch: version of torch.
        python: version of Python.
        outcomes: one for each check, in order.
    """

    kind: str
    name: str
    distribution: str
    version: str
    seemkit: str
    api: str
    torch: str
    python: str
    outcomes: tuple[Outcome, ...]

    @classmethod
    def of(cls, kind: str, name: str, component: object, outcomes: tuple[Outcome, ...]) -> "Report":
        """A report on `component`, with the versions of this process."""
        import seemkit
        from seemkit.api import VERSION

        found = dict(_provider(kind, component))
        try:
            torch = version("torch")
        except PackageNotFoundError:  # built from source, without metadata
            torch = ""
        return cls(
            kind=kind,
            name=found.get("name", name),
            distribution=found.get("distribution", "local"),
            version=found.get("version", ""),
            seemkit=seemkit.__version__,
            api=VERSION,
            torch=torch,
            python=platform.python_version(),
            outcomes=outcomes,
        )

    @property
    def passed(self) -> tuple[Outcome, ...]:
        """Checks whose contract is kept."""
        return tuple(each for each in self.outcomes if each.state == "passed")

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Checks whose contract is not kept."""
        return tuple(each for each in self.outcomes if each.state == "failed")

    @property
    def skipped(self) -> tuple[Outcome, ...]:
        """Checks that do not apply."""
        return tuple(each for each in self.outcomes if each.state == "skipped")

    @property
    def ok(self) -> bool:
        """Whether there were checks, some passed and none failed."""
        return bool(self.passed) and not self.failed

    @property
    def summary(self) -> str:
        """``38 checks, 36 passed, 2 skipped``."""
        counts = [(len(self.passed), "passed"), (len(self.failed), "failed"), (len(self.skipped), "skipped")]
        told = [f"{count} {word}" for count, word in counts if count or word == "passed"]
        return f"{len(self.outcomes)} checks, {', '.join(told)}"

    def __str__(self) -> str:
        lines = [f"{self.kind} {self.distribution}/{self.name}: {self.summary}"]
        lines += [f"  failed   {each.name}: {each.reason}" for each in self.failed]
        lines += [f"  skipped  {each.name}: {each.reason}" for each in self.skipped]
        return "\n".join(lines)

    def to_json(self) -> str:
        """The report as JSON, a row of a compatibility table: see docs/conformance.md."""
        counts = {state: len(getattr(self, state)) for state in ("passed", "failed", "skipped")}
        record = {key: value for key, value in asdict(self).items() if key != "outcomes"}
        checks = [asdict(each) for each in self.outcomes]
        data = {"format": FORMAT, **record, "ok": self.ok, **counts, "checks": checks}
        return json.dumps(data, indent=2, ensure_ascii=False)


def _provider(kind: str, wanted: object) -> Iterator[tuple[str, str]]:
    """Name, distribution and version of the installed or registered component behind an object."""
    from seemkit.host import registry

    if kind not in registry().kinds():
        return
    for component, found in registry().load_all(kind):
        if found is wanted:
            yield "name", component.name
            yield "distribution", component.distribution
            yield "version", component.version
            return

"""Runs a sweep: every model that is not in the journal yet, in a process apart, and the pages at the end."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import JsonValue

import seemkit
from seemkit.host import registry as host_registry
from seemkit.sweep.jobs import Limits, Outcome, Worker
from seemkit.sweep.journal import Journal
from seemkit.sweep.kinds import Kind
from seemkit.sweep.report import SweepReport
from seemkit.sweep.trial import Trial

__all__ = ["about", "sweep", "write_pages"]

LIBRARIES = ("torch", "timm", "open_clip_torch")


def about(kind: Kind, component: str, largest: int) -> dict[str, JsonValue]:
    """What trials depend on."""
    found = host_registry().resolve(kind.provides, component)
    return {
        "component": found.qualified,
        "seemkit": seemkit.__version__,
        "python": platform.python_version(),
        "largest": largest,
        **{name: version(name) for name in LIBRARIES},
    }


def sweep(
    kind: Kind,
    component: str,
    names: Iterable[str],
    journal: Journal[Any],
    *,
    largest: int,
    limits: Limits,
    again: bool = False,
    tell: Callable[[Trial], None] = lambda trial: None,
) -> SweepReport[Any]:
    """Try models and append each to the journal; those that are in it are not tried again.

    Args:
        kind: backbones or text encoders.
        component: that wraps the models.
        names: of the models.
        journal: of earlier trials, which is added to.
        largest: models of more parameters run on the meta device only.
        limits: of each trial.
        again: try those that failed or did not run for want of time or memory once more.
        tell: is told each new trial.
    """
    wanted = list(dict.fromkeys(names))
    job = partial(kind.job, component=component, largest=largest)
    with Worker[Any](job, limits) as worker:
        for name in wanted:
            known = journal.trials.get(name)
            if known is not None and not (again and _is_open(known, largest)):
                continue
            trial = _judge(kind, name, worker.run(name))
            journal.add(trial)
            tell(trial)
    trials = [journal.trials[name] for name in wanted]
    return SweepReport[kind.trial](about=about(kind, component, largest), trials=trials)  # type: ignore[name-defined]


def write_pages(report: SweepReport[Any], kind: Kind, folder: Path) -> None:
    """Write the report as JSON and as a page into a folder."""
    (folder / f"{kind.file}.json").write_text(report.to_json(), encoding="utf-8")
    (folder / f"{kind.file}.md").write_text(kind.page(report), encoding="utf-8")


def _is_open(trial: Trial, largest: int) -> bool:
    return trial.state == "failed" or (
        trial.state == "composes" and not trial.ran and (trial.parameters or 0) <= largest
    )


def _judge(kind: Kind, name: str, outcome: Outcome[Any]) -> Trial:
    """The trial of a job, whatever became of it."""
    if outcome.end == "done" and outcome.last is not None:
        last: Trial = outcome.last
        return last
    if outcome.last is None:
        return kind.trial(model=name, state="failed", reason=outcome.said or "yielded nothing")
    composed: Trial = outcome.last
    return composed.model_copy(update={"not_ran": outcome.said})

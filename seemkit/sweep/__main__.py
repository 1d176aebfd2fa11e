"""Try every model that a component wraps, and write the table of what became of them.

A sweep can be ended at any time: it goes on from its journal.
"""

import argparse
import fnmatch
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from seemkit.errors import SeemkitError
from seemkit.sweep.composed import LARGEST
from seemkit.sweep.jobs import Limits
from seemkit.sweep.journal import Journal
from seemkit.sweep.kinds import KINDS, list_models
from seemkit.sweep.run import about, sweep, write_pages
from seemkit.sweep.trial import Trial
from seemkit_registry import RegistryError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 2 for a wrong request, 1 if a model failed."""
    given = _parser().parse_args(arguments)
    kind = KINDS[given.kind]
    component = given.component or kind.component
    try:
        names = [n for n in list_models(kind, component) if fnmatch.fnmatchcase(n, given.only)]
        journal = Journal(given.journal, kind.trial, about(kind, component, given.largest))
        limits = Limits(given.seconds, int(given.gigabytes * 2**30) if given.gigabytes else None)
        report = sweep(
            kind,
            component,
            names,
            journal,
            largest=given.largest,
            limits=limits,
            again=given.again,
            tell=_Teller(len(names), sum(name in journal.trials for name in names)),
        )
    except (SeemkitError, RegistryError) as error:
        print(f"sweep: {error}", file=sys.stderr)
        return 2
    if given.docs is not None:
        write_pages(report, kind, given.docs)
    counts = {state: len(report.of(state)) for state in ("composes", "refused", "failed")}
    print(f"{counts['composes']} of {len(names)} compose, {sum(t.ran for t in report.trials)} ran; {counts}")
    return 1 if counts["failed"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m seemkit.sweep", description=__doc__)
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("--component", help="that wraps the models; by default timm or open_clip")
    parser.add_argument(
        "--journal", type=Path, required=True, help="JSON lines, appended to after each model"
    )
    parser.add_argument(
        "--docs", type=Path, help="folder that the table and its JSON are written into at the end"
    )
    parser.add_argument("--only", default="*", help="names, with * and ?")
    parser.add_argument("--again", action="store_true", help="try what failed or did not run once more")
    parser.add_argument("--largest", type=int, default=LARGEST, help="parameters up to which a model runs")
    parser.add_argument("--seconds", type=float, default=300, help="that one model may take")
    parser.add_argument(
        "--gigabytes", type=float, default=6, help="of memory that it may take; 0 is no limit"
    )
    return parser


class _Teller:
    """One line for each trial that is done."""

    def __init__(self, count: int, done: int) -> None:
        self.count, self.done, self.start = count, done, time.monotonic()

    def __call__(self, trial: Trial) -> None:
        self.done += 1
        said = trial.reason or trial.not_ran or ("ran" if trial.ran else "")
        print(f"[{self.done}/{self.count}] {trial.model}: {trial.state}; {said}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""What pytest shows of conformance checks: the sentence of a failure in place of a traceback, and a count."""

import traceback
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from seemkit.testing.contract import Check
from seemkit.testing.violation import Violation

__all__ = ["ConformanceReport"]

SEEMKIT = Path(__file__).parents[1]


class ConformanceReport:
    """The hooks; pytest finds them by the entry point ``pytest11`` of seemkit."""

    @staticmethod
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the sentence of a violation in place of the traceback of the suite."""
        report = yield
        violation = call.excinfo.value if call.excinfo is not None else None
        if isinstance(violation, Violation):
            report.longrepr = _told(violation)
        if isinstance(getattr(getattr(item, "obj", None), "about", None), Check):
            report.user_properties.append(("seemkit contract", item.parent.name if item.parent else ""))
        return report

    @staticmethod
    def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
        """How many checks of each contract ran, and how many were left out."""
        counts: dict[str, Counter[str]] = {}
        for state in ("passed", "failed", "skipped"):
            for report in terminalreporter.stats.get(state, []):
                for key, name in getattr(report, "user_properties", ()):
                    if key == "seemkit contract":
                        counts.setdefault(name, Counter())[state] += 1
        if counts:
            terminalreporter.section("seemkit conformance")
        for name, count in sorted(counts.items()):
            told = [f"{n} {state}" for state, n in count.items()]
            terminalreporter.line(f"{name}: {count.total()} checks, {', '.join(told)}")


def _told(violation: Violation) -> str:
    """The sentence, and the traceback of the plugin's own exception, if there was one."""
    cause = violation.__cause__
    if cause is None:
        return str(violation)
    frames = traceback.extract_tb(cause.__traceback__)
    own = [frame for frame in frames if not Path(frame.filename).is_relative_to(SEEMKIT)]
    if not own:
        return str(violation)
    return f"{violation}\n\n{''.join(traceback.format_list(own[-3:]))}{type(cause).__name__}: {cause}"

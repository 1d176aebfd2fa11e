"""What a run compared, case by case and array by array, as tables in Markdown."""

import os
from dataclasses import dataclass
from pathlib import Path

from seemkit.benchmark.machine import look_at_machine

__all__ = ["Difference", "note_difference", "note_share", "note_turned", "write_tables"]


@dataclass(frozen=True)
class Difference:
    """What separates a tensor from its reference, over the values that the reference keeps."""

    max_abs: float
    rms: float


DIFFERENCES: dict[tuple[str, str, str], Difference] = {}
"""Of a case, an array and a test, which may compare it again and again: what it compared last."""
SHARES: dict[tuple[str, str, str], float] = {}
TURNED: dict[tuple[str, str], int] = {}
"""Of a case and a test: how many bits were turned."""
LATEST: list[str] = []
"""The case that was compared last; all of them begin with ``focalt_``."""


def note_difference(case: str, key: str, found: Difference) -> None:
    """How far the running test found an array of a case."""
    DIFFERENCES[case, key, running_test()] = found
    LATEST[:] = [case]


def note_share(case: str, key: str, share: float) -> None:
    """The share of the values of a binary array that differ."""
    SHARES[case, key, running_test()] = share
    LATEST[:] = [case]


def note_turned(bits: int) -> None:
    """The running test turned bits of masked attention to be near the case that it compared last."""
    TURNED[LATEST[0], running_test()] = bits


def running_test() -> str:
    """Its name, with parameters."""
    return os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0].rpartition("::")[2]


def write_tables(path: Path) -> None:
    """Machine and commit, a row for each case, one for each test that turned bits, and one for each array."""
    if not LATEST:
        return
    machine = look_at_machine()
    commit = machine.commit or "an unknown commit"
    lines = [
        f"Measured at {commit} on one machine: {machine.processor}, torch {machine.torch}, Python {machine.python}, "
        f"threads: {machine.threads}.",
        "",
        "| case | arrays | largest difference | largest rms | pixels | most bits turned in a test |",
        "|---|---|---|---|---|---|",
    ]
    for case in sorted({case for case, *_ in (*DIFFERENCES, *SHARES)}):
        found = [value for (name, *_), value in DIFFERENCES.items() if name == case]
        shares = [value for (name, *_), value in SHARES.items() if name == case]
        most = max((bits for (name, _), bits in TURNED.items() if name == case), default=0)
        arrays = {key for name, key, _ in (*DIFFERENCES, *SHARES) if name == case}
        cells = [case[7:], str(len(arrays))]
        cells += (
            [f"{max(x.max_abs for x in found):.1e}", f"{max(x.rms for x in found):.1e}"]
            if found
            else ["", ""]
        )
        cells += [f"{max(shares):.3%}" if shares else "", str(most)]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| case | test | bits |", "|---|---|---|"]
    lines += [f"| {case[7:]} | `{test}` | {bits} |" for (case, test), bits in sorted(TURNED.items())]
    lines += ["", "| array | test | largest difference | rms |", "|---|---|---|---|"]
    cells = [
        f"{case}/{key} | `{test}` | {x.max_abs:.1e} | {x.rms:.1e}"
        for (case, key, test), x in DIFFERENCES.items()
    ]
    cells += [
        f"{case}/{key} | `{test}` | {share:.3%} of values differ | "
        for (case, key, test), share in SHARES.items()
    ]
    lines += [f"| {each} |" for each in sorted(cells)]
    path.write_text("\n".join(lines) + "\n")

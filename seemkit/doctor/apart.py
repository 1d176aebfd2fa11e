"""Steps that may crash or hang, run in another process with a time limit each; those after a bad one run anew."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Literal

from pydantic import JsonValue

__all__ = ["Outcome", "run_apart"]

AT = "importing "
"""Begins a line on standard error that says which component a step is at."""
MARK = "seemkit-doctor:"
"""Begins every line of the other process that is meant for this one."""
START = 120.0
"""Seconds until the other process has to be there; the limit of a step counts from then on."""
_CHILD = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from seemkit.doctor.steps import main; main(json.loads(sys.argv[2]))"
)


@dataclass(frozen=True)
class Outcome:
    """How a step ended.

    Attributes:
        step: the step.
        state: ``done``; ``raised``; ``hung`` after the limit; ``died`` with the process.
        value: what it gave; if it is not done, a part of a sentence that says what happened.
    """

    step: str
    state: Literal["done", "raised", "hung", "died"]
    value: JsonValue


def run_apart(steps: Sequence[str], limit: float) -> list[Outcome]:
    """Run steps of :mod:`seemkit.doctor.steps` in one process, and in a new one after a step that ends it.

    Args:
        steps: such as ``library:torch``.
        limit: seconds that each may take.
    """
    outcomes: list[Outcome] = []
    while len(outcomes) < len(steps):
        outcomes += _run(steps[len(outcomes) :], limit)
    return outcomes


def _run(steps: Sequence[str], limit: float) -> list[Outcome]:
    """The outcomes of the first of `steps`, at least one, up to the one that ended the process."""
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, json.dumps(sys.path), json.dumps(list(steps))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert child.stdout is not None, "it is a pipe"
    assert child.stderr is not None, "it is a pipe"
    lines: queue.Queue[str | None] = queue.Queue()
    complaints: list[str | None] = []
    readers = [
        threading.Thread(target=_read, args=(child.stdout, lines.put), daemon=True),
        threading.Thread(target=_read, args=(child.stderr, complaints.append), daemon=True),
    ]
    for reader in readers:
        reader.start()
    outcomes: list[Outcome] = []
    is_there = False
    try:
        while len(outcomes) < len(steps):
            step, patience = steps[len(outcomes)], limit if is_there else START
            try:
                line = lines.get(timeout=patience)
            except queue.Empty:
                return [*outcomes, Outcome(step, "hung", _where(patience, complaints))]
            if line is None:
                return [*outcomes, Outcome(step, "died", _how(child, complaints))]
            if not line.startswith(MARK):
                continue
            if is_there:
                state, value = json.loads(line.removeprefix(MARK))
                outcomes.append(Outcome(step, state, value))
            is_there = True
        return outcomes
    finally:
        _end(child)


def _where(seconds: float, complaints: Sequence[str | None]) -> str:
    """How long was waited, and what the process was importing by then."""
    at = next((line for line in reversed(complaints) if line and line.startswith(AT)), "")
    return f"did not come to an end within {seconds:g} s{f' ({at})' if at else ''}"


def _read(stream: IO[str], put: Callable[[str | None], None]) -> None:
    for line in stream:
        put(line.rstrip("\n"))
    put(None)


def _how(child: "subprocess.Popen[str]", complaints: Sequence[str | None]) -> str:
    """How the process ended, and the last thing that it said."""
    with suppress(subprocess.TimeoutExpired):
        child.wait(5)
    code = child.returncode
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"ends the process by {signal.Signals(-code).name}"
    last = next((line for line in reversed(complaints) if line and line.strip()), "")
    return f"ends the process with exit code {code}{f' ({last.strip()[:200]})' if last else ''}"


def _end(child: "subprocess.Popen[str]") -> None:
    """End the process and what it started."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()

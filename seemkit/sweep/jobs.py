"""Jobs that may crash, hang or fill the memory, done one after another in a process of their own."""

from __future__ import annotations

import math
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from seemkit_registry.fault import describe_exception

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

__all__ = ["Limits", "Outcome", "Worker", "is_out_of_memory"]

T = TypeVar("T")
GRACE = 10
"""Seconds after which a process ends itself when nobody ended it at its limit, because this one was killed."""


@dataclass(frozen=True)
class Limits:
    """What one job may take.

    Attributes:
        seconds: until the process is ended.
        memory: bytes that the process may allocate; None where the system cannot limit it.
        start: seconds that a new process may take to import what it needs.
    """

    seconds: float = 300.0
    memory: int | None = 6 * 2**30
    start: float = 180.0


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What a job gave, and how it ended.

    Attributes:
        last: the last value that it yielded; None if it yielded none.
        end: ``done``; ``raised``; ``memory`` over the limit; ``hung`` over the limit; ``died`` with its process.
        said: what happened, as a part of a sentence; empty if it is done.
    """

    last: T | None
    end: Literal["done", "raised", "memory", "hung", "died"]
    said: str = ""


class Worker(Generic[T]):
    """A process that does jobs of one kind; after one that ends it, a new process does the next.

    A job that dies is done once more if its process had done others before: their remains may be to blame.

    Args:
        job: a function of a module, from a name to values, of which the last counts.
        limits: of each job.
    """

    def __init__(self, job: Callable[[str], Iterator[T]], limits: Limits) -> None:
        self.job = job
        self.limits = limits
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._done = 0

    def __enter__(self) -> Worker[T]:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def run(self, name: str) -> Outcome[T]:
        """Do one job."""
        outcome = self._run(name)
        if outcome.end in ("memory", "died") and self._done:
            self.close()
            outcome = self._run(name)
        if outcome.end in ("done", "raised"):
            self._done += 1
        else:
            self.close()
        return outcome

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
        self._done = 0

    def _run(self, name: str) -> Outcome[T]:
        last: T | None = None
        if self._pipe is None and not self._start():
            return Outcome(None, "died", f"its process was not there within {self.limits.start:g} s")
        assert self._pipe is not None
        try:
            self._pipe.send(name)
            while self._pipe.poll(self.limits.seconds):
                kind, value = self._pipe.recv()
                if kind != "value":
                    return Outcome(last, kind, value)
                last = value
        except (EOFError, OSError):
            return Outcome(last, "died", self._how())
        return Outcome(last, "hung", f"did not come to an end within {self.limits.seconds:g} s")

    def _start(self) -> bool:
        """A new process; False if it does not come up in time."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self.job, self.limits), daemon=True)
        self._process.start()
        theirs.close()
        try:
            if self._pipe.poll(self.limits.start):
                self._pipe.recv()
                return True
        except (EOFError, OSError):
            pass
        self.close()
        return False

    def _how(self) -> str:
        assert self._process is not None
        self._process.join(5)
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"ends its process by {signal.Signals(-code).name}"
        return f"ends its process with exit code {code}"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is no memory left."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("allocate memory" in str(error) or "bad_alloc" in str(error))
    )


def _serve(pipe: Connection, job: Callable[[str], Iterator[object]], limits: Limits) -> None:
    """Do what the pipe asks for until it closes."""
    if limits.memory is not None:
        _limit_memory(limits.memory)
    pipe.send(("ready", None))
    while True:
        try:
            name = pipe.recv()
        except EOFError:
            return
        if hasattr(signal, "alarm"):
            signal.alarm(math.ceil(limits.seconds) + GRACE)  # not handled: it ends the process wherever it is
        try:
            for value in job(name):
                pipe.send(("value", value))
            end, said = "done", ""
        except Exception as error:
            end, said = "raised", describe_exception(error)[0]
            if is_out_of_memory(error):
                end, said = "memory", f"takes more than {(limits.memory or 0) / 2**30:.3g} GiB"
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        pipe.send((end, said))


def _limit_memory(size: int) -> None:
    """Let this process allocate so many bytes and no more, where the system can."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    except (ImportError, AttributeError, ValueError, OSError):
        return

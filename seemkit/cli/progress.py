"""A line on a terminal that says what is going on, if that takes more than a second."""

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.status import Status

__all__ = ["Progress"]

PATIENCE = 1.0
"""Seconds until the line appears."""


class Progress:
    """Shows the step that was said last, from a second on; on a terminal only, and gone when the block ends.

    Args:
        patience: seconds until it appears.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._step = ""
        self._status: Status | None = None
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        if sys.stderr is not None and sys.stderr.isatty():
            self._timer = threading.Timer(self._patience, self._show)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """The line goes, and does not come again."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
            if self._status is not None:
                self._status.stop()
            self._status = None

    def say(self, step: str) -> None:
        """From now on `step` is what is going on."""
        with self._lock:
            self._step = step
            if self._status is not None:
                self._status.update(_plain(step))

    def _show(self) -> None:
        from rich.console import Console

        with self._lock:
            if self._timer is not None and self._step:
                self._status = Console(stderr=True).status(_plain(self._step))
                self._status.start()


def _plain(step: str) -> str:
    from rich.markup import escape

    return f"{escape(step)} ..."

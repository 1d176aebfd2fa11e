"""Processes that make views for a training end with it, however it ends."""

import os
import threading
import time

__all__ = ["end_with"]

PERIOD = 1.0
"""Seconds between looks."""


def end_with(parent: int, number: int) -> None:
    """End this process soon after its parent has ended, by `kill -9` too.

    A worker that is handing over what it made would wait for ever: others hold the end that nobody reads from.

    Args:
        parent: id of the process that started it.
        number: of the worker, which loaders of torch tell.
    """
    threading.Thread(target=_watch, args=(parent,), name=f"worker {number}", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PERIOD)
    os._exit(1)

"""Says which plugin is being imported when that takes long, so that a plugin that hangs is known by name."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from seemkit_registry.component import Component

__all__ = ["PATIENCE", "patience"]

PATIENCE = 5.0
"""Seconds until the line appears."""


@contextmanager
def patience(component: Component, seconds: float = PATIENCE) -> Iterator[None]:
    """Log one line, as an error of the logger ``seemkit``, if the block takes longer than `seconds`.

    An import cannot be ended from outside without harm to the rest of the process: the line says how the user
    can end it, and how to do without the plugin.
    """
    timer = threading.Timer(seconds, _say, (component, seconds))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _say(component: Component, seconds: float) -> None:
    logging.getLogger("seemkit").error(
        "the plugin %r (%s %r) is still being imported after %g s: wait, or press Ctrl-C and then update it "
        "(pip install --upgrade %s) or remove it (pip uninstall %s)",
        component.distribution,
        component.kind,
        component.versioned,
        seconds,
        component.distribution,
        component.distribution,
    )

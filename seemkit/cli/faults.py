"""Faults of plugins: one line each on standard error, unless a command lists them itself."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

__all__ = ["fault_lines", "mute_faults"]

_LOGGER = logging.getLogger("seemkit")


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(f"seemkit: {record.getMessage()}", err=True)


@contextmanager
def fault_lines() -> Iterator[None]:
    """Show what the log of seemkit says as lines on standard error while the block runs."""
    handler, level, propagate = _Lines(logging.WARNING), _LOGGER.level, _LOGGER.propagate
    _LOGGER.addHandler(handler)
    _LOGGER.propagate = False
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        _LOGGER.propagate = propagate
        _LOGGER.setLevel(level)


def mute_faults() -> None:
    """Show none until the command has ended: it says itself what is at fault."""
    _LOGGER.setLevel(logging.ERROR)

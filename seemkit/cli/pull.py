"""`seemkit pull`: the published weights of an assembly, downloaded and converted once."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command

__all__ = ["pull"]


@click.command(cls=Command)
@click.argument("name", metavar="NAME|FILE.yaml")
@click.option("--offline", is_flag=True, help="Use no network, only what was downloaded before.")
@click.option("--force", is_flag=True, help="Download and convert again.")
def pull(name: str, offline: bool, force: bool) -> None:
    """Download and convert the published weights of an assembly.

    They are kept in the folder that SEEMKIT_CACHE names, or in ~/.cache/seemkit, where every command that uses
    the assembly finds them. The SHA-256 of the published file is recorded there at first, and has to be the
    same ever after.
    """
    from seemkit.assembly import load_assembly

    assembly = load_assembly(name)
    there = assembly.weights_path()
    known = there is not None and there.is_file() and not force
    with chatter_aside(), _quiet_hub():
        from seemkit.checkpoint.pull import pull as pull_weights

        path = pull_weights(assembly, offline=offline, force=force, say=_say)
    said = "was there already" if known else f"{path.stat().st_size / 1e6:.1f} MB"
    click.echo(f"{path}: {said}")
    click.echo(f"use: -m {name}")


def _say(step: str) -> None:
    """A line of its own, since the bar of huggingface_hub draws on the same terminal."""
    if sys.stderr.isatty():
        click.echo(f"{step} ...", err=True)


@contextmanager
def _quiet_hub() -> Iterator[None]:
    """Keep what huggingface_hub logs of retries to itself: in the end there is a sentence, or the file."""
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)

"""`seemkit assemble`: an assembly written out in full, with every option explained, to be changed by hand."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import read_settings, settings_option

if TYPE_CHECKING:
    from seemkit.assembly import Assembly

__all__ = ["assemble"]


@click.command(cls=Command)
@click.argument("name", default="nano", metavar="[NAME|FILE.yaml]")
@settings_option
@click.option(
    "-o", "--output", "out", metavar="FILE.yaml", help="Write it to a file; by default it is printed."
)
def assemble(name: str, settings: tuple[str, ...], out: str | None) -> None:
    """Write an assembly out in full, with every option explained.

    It starts from an assembly by name or file, nano by default, with `-s` on top. What is written loads into
    an equal assembly; `seemkit plan FILE` then says what it will be.
    """
    from seemkit.assembly.explained import explain
    from seemkit.assembly.load import load_assembly
    from seemkit.assembly.shipped import SUFFIXES
    from seemkit.host import registry
    from seemkit.results.atomic import check_target, replacing

    if out is not None:
        if Path(out).suffix not in SUFFIXES:
            raise RequestError(f"-o {out!r} could not be loaded: give a file that ends in .yaml", path="-o")
        check_target(Path(out))
    overrides: dict[str, Any] = read_settings(settings)
    with chatter_aside():
        found = load_assembly(name, overrides, registry())
        text = explain(found, registry())
    if out is None:
        click.echo(text, nl=False)
        return
    with replacing(out) as file:
        file.write(text.encode())
    click.echo(f"{out}: {found.name}, every option explained")
    _say_where_weights_are(found, Path(out))


def _say_where_weights_are(found: "Assembly", out: Path) -> None:
    """An assembly names weights beside its file; say so if they are elsewhere."""
    path = found.weights_path()
    if found.weights is None or found.weights.file is None or path is None:
        return
    wanted = out.parent / found.weights.file
    if path.is_file() and not wanted.exists():
        click.echo(
            f"its weights belong beside it: copy {path} to {wanted}, or give -s weights=null", err=True
        )

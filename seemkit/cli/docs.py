"""`seemkit docs`: the reference of what is installed, as Markdown."""

from pathlib import Path

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command

__all__ = ["docs"]


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("-o", "--output", "out", metavar="DIR", help="Write all pages into a folder.")
def docs(name: str | None, out: str | None) -> None:
    """Print or write the reference pages of what is installed.

    A plugin's page is there as soon as the plugin is. NAME is what `seemkit info` takes, the name of a
    command, or hooks; -o writes all pages.
    """
    from seemkit.cli.failure import RequestError
    from seemkit.cli.faults import mute_faults

    mute_faults()
    if (name is None) == (out is None):
        raise RequestError("give the name of one page, or -o DIR for all of them", path="name")
    if out is not None:
        _write_all(Path(out))
        return
    assert name is not None
    with chatter_aside():
        texts = _pages(name)
    click.echo("\n".join(texts), nl=False)


def _write_all(folder: Path) -> None:
    from seemkit.cli.pages.everything import every_page
    from seemkit.results.atomic import replacing

    with chatter_aside():
        pages = every_page()
    for page in pages:
        path = folder / page.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(page.text.encode())
    click.echo(f"{folder}: {len(pages)} pages")


def _pages(name: str) -> list[str]:
    """The texts of what the name means: a command, hooks, an assembly, and components of any kind."""
    from seemkit.assembly.load import assembly_names
    from seemkit.cli.info import find_components, unknown_component
    from seemkit.cli.main import COMMANDS
    from seemkit.cli.pages.assembly import assembly_page
    from seemkit.cli.pages.command import command_page
    from seemkit.cli.pages.everything import pages_of
    from seemkit.cli.pages.hooks import hooks_page

    found = pages_of(find_components(name))
    if name in COMMANDS:
        found.append(command_page(name))
    if name in assembly_names():
        found.append(assembly_page(name))
    if name == "hooks":
        found.append(hooks_page())
    if not found:
        raise unknown_component(name)
    return [page.text for page in found]

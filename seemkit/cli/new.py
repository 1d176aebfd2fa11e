"""`seemkit new`: a plugin of one's own, as a project that installs and passes its tests."""

from pathlib import Path

import click

from seemkit.cli.command import Command
from seemkit.cli.failure import RequestError
from seemkit.scaffold.blueprint import BLUEPRINTS

__all__ = ["new"]


@click.command(cls=Command, epilog=f"KIND is one of {', '.join(BLUEPRINTS)}.")
@click.argument("kind", metavar="KIND")
@click.argument("name")
@click.option(
    "--into", "folder", metavar="DIR", help="Where it is written; by default ./seemkit-NAME, which is made."
)
@click.option("--about", metavar="TEXT", help="What it is, in a few words; for docstrings and metadata.")
@click.option("--force", is_flag=True, help="Write into a folder that holds files; says which it replaced.")
def new(kind: str, name: str, folder: str | None, about: str | None, force: bool) -> None:
    """Make a plugin: a project that installs, lints, type-checks and passes its tests.

    NAME is what the component is called, such as gaze; a prompt has it as its type and its flag. The project
    is the distribution seemkit-NAME. Nothing is fetched.
    """
    from seemkit.cli.faults import mute_faults
    from seemkit.scaffold.naming import Naming, check_about
    from seemkit.scaffold.project import project_files, write_project
    from seemkit.scaffold.vacancy import check_vacant

    if kind not in BLUEPRINTS:
        raise _unknown_kind(kind)
    mute_faults()
    blueprint, naming = BLUEPRINTS[kind], Naming(name)
    said = None if about is None else check_about(about)
    check_vacant(blueprint.kind, naming, _flags())
    target = Path(folder or naming.distribution)
    written = write_project(target, project_files(blueprint, naming, said), force=force)
    for path in written.new:
        click.echo(f"wrote    {target / path}")
    for path in written.replaced:
        click.echo(f"replaced {target / path}")
    click.echo(
        f"\n{blueprint.what} in src/{naming.package}/{naming.module}.py; next:\n"
        f'  cd {target} && pip install -e ".[dev]"\n'
        "  ruff check && ruff format --check && mypy && pytest"
    )


def _unknown_kind(kind: str) -> RequestError:
    from seemkit_registry import nearest

    near = nearest(kind, BLUEPRINTS)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(BLUEPRINTS)}"
    return RequestError(
        f"there is no template for {kind[:80]!r}; {hint}", path="KIND", suggestion=near[0] if near else None
    )


def _flags() -> set[str]:
    """Flags that the commands which take prompts have themselves, without dashes."""
    from seemkit.cli.demo import demo
    from seemkit.cli.segment import segment

    return {
        name.removeprefix("--")
        for command in (segment, demo)
        for each in command.params
        for name in each.opts
    }

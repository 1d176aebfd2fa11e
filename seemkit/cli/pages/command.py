"""The page of one command: its help and its flags, those of the installed prompt types too."""

from collections.abc import Iterator

import click

from seemkit.cli.main import COMMANDS, cli
from seemkit.cli.pages.markdown import Page, code, fence, table
from seemkit.cli.prompt_flags import PromptOption

__all__ = ["command_page"]


def command_page(name: str, command: click.Command | None = None, above: str = "seemkit") -> Page:
    """The page of a command, with those of its own commands below.

    Args:
        name: of the command.
        command: which it is; by default the one that seemkit has under that name.
        above: what is typed before the name.
    """
    context = click.Context(cli, info_name=above, **cli.context_settings)
    found = command or cli.get_command(context, name)
    assert found is not None
    summary = COMMANDS.get(name) or found.get_short_help_str(200)
    text = "\n\n".join([f"# {above} {name}", *_body(name, found, context, above)]) + "\n"
    return Page(f"commands/{name}.md", f"{above} {name}", summary, text)


def _body(name: str, command: click.Command, above: click.Context, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=above)
    yield fence("text", " ".join([path, name, *command.collect_usage_pieces(context)]))
    yield from _paragraphs(command.help or "")
    rows = [_row(parameter, context) for parameter in command.get_params(context)]
    shown = [row for row in rows if row is not None]
    if shown:
        yield table(["flag", "what it does"], shown)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield f"## {path} {name} {inner}"
                yield from _body(inner, found, context, f"{path} {name}")


def _row(parameter: click.Parameter, context: click.Context) -> list[str] | None:
    shown = parameter.row() if isinstance(parameter, PromptOption) else None
    record = shown or parameter.get_help_record(context)
    if record is None or not record[1]:  # an argument, which the help text explains
        return None
    flag, about = record
    return [code(flag), about]


def _paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a help text; what click keeps as it is (after a backspace) becomes a fence."""
    for paragraph in text.split("\n\n"):
        if paragraph.strip().startswith("\b"):
            yield fence("text", paragraph.replace("\b", "").strip("\n"))
        elif paragraph.strip():
            yield " ".join(paragraph.split())

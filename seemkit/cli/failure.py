"""How a failure ends: an exit code, and one sentence on standard error."""

import traceback

import click

from seemkit.errors import SeemkitError

__all__ = ["RequestError", "describe", "report"]

INTERRUPTED = 130
"""What shells give a program that Ctrl-C ended."""


class RequestError(SeemkitError):
    """The command line itself asks for something that cannot be."""


def report(error: BaseException, *, debug: bool = False) -> int:
    """Say on standard error what went wrong, with `debug` where, and return the exit code."""
    code, sentence = describe(error)
    if debug and code != INTERRUPTED:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    click.echo(f"seemkit: {sentence}", err=True)
    return code


def describe(error: BaseException) -> tuple[int, str]:
    """The exit code and sentence for an error."""
    from seemkit_registry.errors import RegistryError

    if isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt):
        return INTERRUPTED, "interrupted"
    if isinstance(error, SeemkitError | RegistryError):
        return 2, str(error)
    if isinstance(error, click.UsageError):
        return 2, _usage(error)
    if isinstance(error, click.ClickException):
        return 1, error.format_message()
    if isinstance(error, OSError) and error.strerror:
        return 1, f"{error.strerror}: {str(error.filename)!r}" if error.filename else error.strerror
    return 1, f"{_first_line(error)} (this should not happen: --debug shows where it did)"


def _usage(error: click.UsageError) -> str:
    """Click's sentence, where it lacks one with the place to look."""
    said = " ".join(error.format_message().split()).rstrip(".")
    said = said[:1].lower() + said[1:]
    return f"{said}; see '{error.ctx.command_path} --help'" if error.ctx is not None else said


def _first_line(error: BaseException) -> str:
    try:
        said = next(iter(str(error).strip().splitlines()), "")
    except Exception:  # an error of a plugin that cannot even be printed
        said = ""
    kind = type(error).__name__
    if kind == "OutOfMemoryError" or isinstance(error, MemoryError):
        return "there is not enough memory; try -s preprocess.short=320 or --device cpu"
    return f"{kind}: {said}" if said else kind

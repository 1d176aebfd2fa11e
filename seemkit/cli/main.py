"""The command `seemkit`: which commands there are, and how every one of them ends."""

import io
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from seemkit import __version__
from seemkit.cli.command import debug_flag
from seemkit.cli.faults import fault_lines

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS = {
    "demo": "Segment a real photo by every kind of prompt, on one contact sheet.",
    "segment": "Segment what prompts point at in a photo.",
    "everything": "Segment everything in a photo over a vocabulary.",
    "track": "Follow objects through the frames of a video.",
    "encode": "Encode every photo of a folder to scene files.",
    "concept": "Keep what regions of photos are like in a small file, and find it in others.",
    "eval": "Measure a model on data sets, and print the figures with how they were measured.",
    "train": "Train a model by a recipe, or on data of one's own.",
    "pull": "Download and convert the published weights of an assembly.",
    "carry": "Carry weights over to another assembly where they fit.",
    "convert": "Convert a published .pt file to weights of an assembly.",
    "plugins": "List what plugins provide, importing none of them.",
    "info": "Describe a component, a prompt type or an assembly.",
    "docs": "Print or write the reference pages of what is installed.",
    "plan": "Say what an assembly will be built of, building and loading nothing.",
    "assemble": "Write an assembly out in full, with every option explained.",
    "schema": "Print the JSON schema of assemblies, evaluations, recipes, prompts, or of a component's options.",
    "bench": "Measure how long things take, next to what the original computes.",
    "new": "Make a plugin: a project that installs, lints, type-checks and passes its tests.",
    "doctor": "Look for what is wrong with this installation.",
}
"""Commands and what they do; `seemkit.cli.<name>` holds each, under the same name."""


class _Commands(click.Group):
    """Loads a command when it is asked for, and turns whatever happens into an exit code and a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"seemkit.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from seemkit.cli.failure import RequestError
            from seemkit_registry.suggestion import nearest

            near = nearest(args[0], COMMANDS)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COMMANDS)}"
            raise RequestError(
                f"there is no command {args[0]!r}; {hint}", suggestion=near[0] if near else None
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, say what went wrong if something did, and exit with the code."""
        given = args[0] if args else extra.pop("args", None)
        extra.pop("standalone_mode", None)
        sys.exit(self._run(given, extra))

    def _run(self, args: Sequence[str] | None, extra: dict[str, Any]) -> int:
        """0 done, 2 the request was wrong, 130 interrupted, 1 anything else."""
        debug = "--debug" in (sys.argv[1:] if args is None else args)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a label may hold what a pipe's encoding lacks
                stream.reconfigure(errors="backslashreplace")
        try:
            with fault_lines(), warnings.catch_warnings():
                if not (debug or sys.warnoptions):
                    warnings.simplefilter("ignore")
                code = super().main(args, standalone_mode=False, **extra)
                sys.stdout.flush()
        except BrokenPipeError:
            _let_go_of_stdout()
            return 1
        except SystemExit as error:  # click's answer to a closed pipe
            return error.code if isinstance(error.code, int) else 1
        except BaseException as error:
            from seemkit.cli.failure import report

            return report(error, debug=debug)
        return code if isinstance(code, int) else 0


def _let_go_of_stdout() -> None:
    """Whoever read standard output is gone: let the interpreter's last flush go nowhere (Python docs, SIGPIPE)."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    params=[debug_flag()],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="seemkit %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Segment anything you can point at, name or show.

    `seemkit COMMAND --help` says more. Exit codes: 0 done, 2 the request was wrong, 1 anything else.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Run the command line of this process; never returns."""
    cli.main(prog_name="seemkit")


if __name__ == "__main__":
    main()

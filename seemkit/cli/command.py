"""What all commands share: `--debug`, one-file plugins that load before flags are made, and unknown flags."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

__all__ = ["Command", "debug_flag"]


def debug_flag() -> click.Option:
    """The flag `--debug`, which whatever reports errors looks for itself."""
    return click.Option(["--debug"], is_flag=True, expose_value=False, help="Show the traceback of an error.")


class Command(click.Command):
    """A command with `--plugin` and `--debug`, that names the nearest flag for one it does not know."""

    def __init__(self, *args: Any, **extra: Any) -> None:
        super().__init__(*args, **extra)
        files = click.Option(
            ["--plugin"],
            metavar="FILE.py",
            multiple=True,
            expose_value=False,  # the files are loaded before any other flag is looked at
            help="Use a one-file plugin; may be given several times.",
        )
        self.params += [files, debug_flag()]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Load one-file plugins, then read the flags that there are by then."""
        if "--help" in args or "-h" in args:
            from seemkit.cli.faults import mute_faults

            mute_faults()
        files = self.plugin_files(args)
        if files:
            from seemkit.cli.local_plugins import load_plugins

            load_plugins(files)
        try:
            return self.read_args(ctx, args)
        except click.NoSuchOption as error:
            from seemkit.cli.failure import RequestError

            sentence, near = self.explain_flag(ctx, error.option_name)
            raise RequestError(sentence, suggestion=near) from None

    def plugin_files(self, args: Sequence[str]) -> list[str]:
        """The one-file plugins that `--plugin` names."""
        return list(_plugin_files(args))

    def read_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the flags; a subclass may add flags that depend on plugins."""
        return super().parse_args(ctx, args)

    def explain_flag(self, ctx: click.Context, flag: str) -> tuple[str, str | None]:
        """A sentence for a flag that there is not, and the one that was probably meant."""
        from seemkit_registry.suggestion import nearest

        near = nearest(flag.lstrip("-"), [name[2:] for name in self.long_flags(ctx)])
        meant = f"--{near[0]}" if near else None
        hint = f"did you mean {meant}?" if meant else f"see '{ctx.command_path} --help'"
        return f"there is no flag {flag}; {hint}", meant

    def long_flags(self, ctx: click.Context) -> list[str]:
        """Every flag that begins with two dashes."""
        return [
            name
            for parameter in self.get_params(ctx)
            for name in [*parameter.opts, *parameter.secondary_opts]
            if name.startswith("--")
        ]


def _plugin_files(args: Sequence[str]) -> Iterator[str]:
    """The values of `--plugin`, found before the parser knows which flags there are."""
    before = ""
    for arg in args:
        if before == "--plugin":
            yield arg
            before = ""
            continue
        if arg == "--":
            return
        if arg.startswith("--plugin="):
            yield arg.removeprefix("--plugin=")
        before = arg

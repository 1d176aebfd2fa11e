"""A command with commands of its own, such as `seemkit concept save`."""

from collections.abc import Sequence

import click

from seemkit.cli.command import Command

__all__ = ["CommandFamily"]


class CommandFamily(Command, click.Group):
    """Commands under one name; one that there is not is answered with the nearest."""

    def plugin_files(self, args: Sequence[str]) -> list[str]:
        """One-file plugins before the name of a command; those behind it are that command's."""
        own = next((place for place, arg in enumerate(args) if arg in self.commands), len(args))
        return super().plugin_files(args[:own])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for, or one sentence with the nearest."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            from seemkit.cli.failure import RequestError
            from seemkit_registry.suggestion import nearest

            near = nearest(args[0], self.commands)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(self.commands)}"
            raise RequestError(
                f"'{ctx.command_path}' has no command {args[0]!r}; {hint}",
                suggestion=near[0] if near else None,
            )
        return super().resolve_command(ctx, args)

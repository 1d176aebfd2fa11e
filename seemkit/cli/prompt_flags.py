"""The prompt flags of a command, made from the prompt types that are installed: none is written by hand."""

import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.flag_example import flag_example, flag_form
from seemkit.host import registry
from seemkit.prompting.prompt import Prompt
from seemkit_registry import Component, Fault, nearest

__all__ = ["Given", "PromptCommand", "PromptFlag", "PromptOption", "prompt_faults", "prompt_flags"]

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_TAKEN = "seemkit.cli.prompt_flags"


@dataclass(frozen=True)
class PromptFlag:
    """A prompt type on the command line.

    Attributes:
        name: its flag without dashes: the JSON type, or ``distribution/name`` where that is not free.
        kind: the prompt type.
        component: what provides it.
    """

    name: str
    kind: type[Prompt]
    component: Component

    @property
    def names(self) -> list[str]:
        """``--point`` and, if it makes sense, ``--not-point``."""
        return [f"--{self.name}", f"--not-{self.name}"] if self.kind.excludes else [f"--{self.name}"]

    @property
    def summary(self) -> str:
        """The first line of the type's docstring, or what the listing has."""
        lines = (self.kind.__doc__ or "").strip().splitlines()
        return lines[0].strip() if lines else self.component.summary

    def usage(self) -> str:
        """The flag with an example value, ready for a shell; empty if no example can be written."""
        example = flag_example(self.kind)
        return f"--{self.name} {_quote(example)}" if example is not None else ""


@dataclass(frozen=True)
class Given:
    """One prompt flag of a command line, in its place: the flag, and its value as it was written."""

    flag: PromptFlag
    include: bool
    text: str

    def __str__(self) -> str:
        return f"--{'' if self.include else 'not-'}{self.flag.name} {_quote(self.text)}"


def prompt_flags(reserved: Collection[str] = ()) -> list[PromptFlag]:
    """A flag for each usable prompt type, sorted; where its name is not free, the qualified one is taken.

    Args:
        reserved: names of flags that the command has itself, without dashes.
    """
    with chatter_aside():
        loaded = registry().load_all("prompts")
    found = [(c, kind) for c, kind in loaded if isinstance(kind, type) and issubclass(kind, Prompt)]
    names = Counter(kind.type_name() for _, kind in found)
    negative = {f"not-{name}" for name in names}
    flags = []
    for component, kind in found:
        name = kind.type_name()
        free = names[name] == 1 and name not in reserved and name not in negative and _PLAIN.fullmatch(name)
        flags.append(PromptFlag(name if free else component.qualified, kind, component))
    return sorted(flags, key=lambda flag: flag.name)


def prompt_faults() -> list[Fault]:
    """Why prompt types, or whole distributions that may have some, cannot be used."""
    return [fault for fault in registry().faults() if fault.kind in ("", "prompts")]


class PromptCommand(Command):
    """A command that takes prompts; its function gets them as `given`, in the order of the command line."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The prompt flags of the installed plugins, then the command's own parameters."""
        own = super().get_params(ctx)
        if ctx.meta.get(_TAKEN) is None:
            taken = {name.removeprefix("--") for parameter in own for name in parameter.opts}
            ctx.meta[_TAKEN] = list(_options(prompt_flags(taken)))
        return [*ctx.meta[_TAKEN], *own]

    def read_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the flags, and bring the prompts into the order in which they were written."""
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        rest = super().read_args(ctx, args)
        values = {
            option: iter(ctx.params.pop(str(option.name), None) or ())
            for option in self.get_params(ctx)
            if isinstance(option, PromptOption)
        }
        ctx.params["given"] = [
            Given(option.flag, option.include, next(values[option]))
            for option in order
            if isinstance(option, PromptOption)
        ]
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Prompt types first, each with what it takes; then those at fault, then the options."""
        parameters = self.get_params(ctx)
        prompts = [record for p in parameters if isinstance(p, PromptOption) and (record := p.row())]
        options = [p for p in parameters if isinstance(p, click.Option)]
        rest = [record for p in options if (record := p.get_help_record(ctx)) is not None]
        with formatter.section("Prompts of the installed plugins"):
            formatter.write_dl(prompts)
        if faults := prompt_faults():
            with formatter.section("Not usable"):
                formatter.write_dl([(_faulty(fault), fault.one_line) for fault in faults])
        with formatter.section("Options"):
            formatter.write_dl(rest)

    def explain_flag(self, ctx: click.Context, flag: str) -> tuple[str, str | None]:
        """As for any command; a flag of a prompt type that cannot be used says why."""
        asked = flag.lstrip("-")
        bare = asked.removeprefix("not-")
        flags = [p.flag for p in self.get_params(ctx) if isinstance(p, PromptOption) and p.include]
        if bare != asked and any(each.name == bare for each in flags):
            return f"there is no flag {flag}: a {bare} cannot be excluded", f"--{bare}"
        claims = [each for each in flags if each.kind.type_name() == bare]
        if claims:
            names = [f"--{asked.removesuffix(bare)}{each.name}" for each in claims]
            why = (
                "several plugins have that type" if len(claims) > 1 else "the command needs that name itself"
            )
            return f"there is no flag {flag}: {why}; write {' or '.join(names)}", names[0]
        faults = {word: c.fault for c in registry().components("prompts") if c.fault for word in _words(c)}
        near = nearest(bare, [*faults, *(name[2:] for name in self.long_flags(ctx))])
        fault = faults.get(bare) or (faults.get(near[0]) if near else None)
        if fault is not None:
            return f"there is no flag {flag}: {fault.one_line}", None
        return super().explain_flag(ctx, flag)


class PromptOption(click.Option):
    """One flag of a prompt type; may be given any number of times."""

    def __init__(self, flag: PromptFlag, include: bool, place: int) -> None:
        name = f"prompt_{place}_{'include' if include else 'exclude'}"
        super().__init__([name, "--placeholder"], multiple=True, hidden=True)
        self.opts = [flag.names[0] if include else flag.names[1]]  # set here: it may hold a slash
        self.flag, self.include = flag, include

    def row(self) -> tuple[str, str] | None:
        """Flags and what they mean, for the help; the excluding flag is shown with its brother."""
        if not self.include:
            return None
        usage = self.flag.usage()
        shown = f"{', '.join(self.flag.names)} {flag_form(self.flag.kind)}"
        return shown, f"{self.flag.summary} {f'Such as {usage}' if usage else ''}".strip()


def _options(flags: Sequence[PromptFlag]) -> Iterator[PromptOption]:
    for place, flag in enumerate(flags):
        for include in (True, False)[: len(flag.names)]:
            yield PromptOption(flag, include, place)


def _words(component: Component) -> set[str]:
    """Types that a component which cannot be loaded probably provides."""
    return {component.name, component.name.removesuffix("s"), component.attribute.lower()} - {""}


def _faulty(fault: Fault) -> str:
    return f"{fault.plugin}/{fault.name}" if fault.name else fault.plugin


def _quote(text: str) -> str:
    """`text` as one word of a shell; in double quotes, which all shells know, where that is enough."""
    if re.fullmatch(r"[\w.,:/@#=+-]+", text):
        return text
    return shlex.quote(text) if re.search(r'["$`\\!%]', text) else f'"{text}"'

"""What is wrong with one plugin, in one line and in full."""

import traceback
from dataclasses import dataclass, field

from seemkit_registry.errors import PluginQuarantined

__all__ = ["Fault", "describe_exception", "one_line"]


@dataclass(frozen=True)
class Fault:
    """Why a plugin is quarantined.

    Attributes:
        kind: kind of the component, such as ``prompts``; empty if the whole distribution is at fault.
        name: name of the component; empty likewise.
        plugin: the distribution, or the file of a one-file plugin.
        cause: what is wrong, without a full stop.
        remedy: the way out, without a full stop.
        trace: the traceback, if code of the plugin raised.
    """

    kind: str
    name: str
    plugin: str
    cause: str
    remedy: str
    trace: str = field(default="", repr=False)

    @property
    def one_line(self) -> str:
        """The fault as one line for a person."""
        what = f" ({self.kind} {self.name!r})" if self.name else ""
        return f"plugin {self.plugin!r}{what} is quarantined: {self.cause}; {self.remedy}"

    @property
    def details(self) -> str:
        """The line, followed by the traceback of the plugin's code if there is one."""
        return f"{self.one_line}\n{self.trace}" if self.trace else self.one_line

    def error(self) -> PluginQuarantined:
        """The error for whoever asks for the component."""
        return PluginQuarantined(
            self.one_line,
            kind=self.kind or None,
            name=self.name or None,
            plugin=self.plugin,
            suggestion=self.remedy,
        )


def one_line(text: str, limit: int = 300) -> str:
    """`text` on one line, without control characters, cut to `limit` characters."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


def describe_exception(error: BaseException) -> tuple[str, str]:
    """What `error` says on one line, and its traceback, even if its own ``__str__`` raises."""
    try:
        said = one_line(str(error))
    except Exception:
        said = "an error that cannot even be printed"
    kind = type(error).__name__
    trace = "".join(traceback.format_exception(error))
    return (f"{kind}: {said}" if said else kind), trace

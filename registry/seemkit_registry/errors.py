"""What can go wrong with a plugin or a configuration: each error is one sentence and carries its data."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "AmbiguousComponent",
    "ConfigurationError",
    "PluginQuarantined",
    "Problem",
    "RegistryError",
    "UnknownComponent",
]


class RegistryError(ValueError):
    """Something asked of the plugin engine cannot be done as asked.

    Attributes:
        kind: the kind of component that was asked for, such as ``prompts``.
        name: the name that was asked for.
        suggestion: the nearest right value, if there is one.
        plugin: the distribution or file at fault, if one is.
        path: where in a file or configuration the fault lies, such as ``backbone.model``.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str | None = None,
        name: str | None = None,
        suggestion: str | None = None,
        plugin: str | None = None,
        path: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.name = name
        self.suggestion = suggestion
        self.plugin = plugin
        self.path = path


class UnknownComponent(RegistryError):  # noqa: N818 - reads as what happened, as in pluggy and click
    """No component of this kind has this name."""


class AmbiguousComponent(RegistryError):  # noqa: N818
    """Several distributions provide the name; the message holds every qualified name."""


class PluginQuarantined(RegistryError):  # noqa: N818
    """The component exists but its plugin is at fault; the message holds the cause and the way out."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a configuration.

    Attributes:
        path: where, such as ``backbone.model`` or ``preprocess.mean[0]``; empty for the whole document.
        message: what was given and what was expected, without a full stop.
        suggestion: the nearest right value, if there is one.
        line: line number in the file, counted from 1, if it came from one.
    """

    path: str
    message: str
    suggestion: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = self.path or "the document"
        place = where if self.line is None else f"{where} (line {self.line})"
        told = self.suggestion is None or repr(self.suggestion) in self.message
        return (
            f"{place}: {self.message}"
            if told
            else f"{place}: {self.message}; did you mean {self.suggestion!r}?"
        )


class ConfigurationError(RegistryError):
    """Everything that is wrong with a configuration, found in one go.

    Attributes:
        problems: in the order of the document; ``str(error)`` has one line for each.
        source: the file or name of the configuration.
    """

    def __init__(self, problems: Sequence[Problem], *, source: str = "configuration") -> None:
        if not problems:
            raise ValueError("a configuration error needs at least one problem")
        self.problems: list[Problem] = list(problems)
        self.source = source
        if len(self.problems) == 1:
            message = f"{source}: {self.problems[0]}"
        else:
            lines = "".join(f"\n  {problem}" for problem in self.problems)
            message = f"{source} has {len(self.problems)} problems:{lines}"
        first = self.problems[0]
        super().__init__(message, suggestion=first.suggestion, path=first.path or None)

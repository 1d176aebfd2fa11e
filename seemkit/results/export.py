"""Results in other formats: an exporter by name, its options checked, writes the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, cast

from seemkit.choice import Slot, choose
from seemkit.errors import SeemkitError
from seemkit.host import registry as host_registry
from seemkit.results.atomic import check_target
from seemkit_registry import nearest
from seemkit_registry.fault import describe_exception

if TYPE_CHECKING:
    from pydantic import JsonValue

    from seemkit.components import ExporterComponent
    from seemkit.result import Result
    from seemkit_registry import Registry

__all__ = ["Export", "Format", "choose_format", "plan_export"]


@dataclass(frozen=True)
class Format:
    """An exporter that was chosen.

    Attributes:
        slot: the exporter and its options.
        suffixes: what its files may end in, the usual one first; empty takes any.
        registry: of the components.
    """

    slot: Slot
    suffixes: tuple[str, ...]
    registry: Registry

    @property
    def suffix(self) -> str:
        """What a file is given as its suffix."""
        return self.suffixes[0] if self.suffixes else f".{self.slot.use.rpartition('/')[2]}"

    def write(self, result: Result, path: Path, photo: str | None = None) -> list[Path]:
        """Write the files of a result, and name them.

        Args:
            result: the result.
            path: the file.
            photo: what the format calls the photo; by default a .jpg of the name of `path`.

        Raises:
            SeemkitError: the format cannot hold it, or a file cannot be written.
        """
        component = self.registry.resolve("exporters", self.slot.component)
        found = cast("ExporterComponent", self.registry.load(component))
        try:
            exporter = found.build(self.slot.settings)
            return list(exporter.export(result, path, photo=photo or f"{path.stem}.jpg"))
        except SeemkitError:
            raise
        except Exception as error:
            raise SeemkitError(
                f"the exporter {self.slot.use!r} of the plugin {component.distribution!r} raised "
                f"{describe_exception(error)[0]}; {component.way_out}",
                path="export",
            ) from error


@dataclass(frozen=True)
class Export:
    """A format and the file that is to be written in it."""

    format: Format
    path: Path

    def write(self, result: Result, photo: str | None = None) -> list[Path]:
        """Write the files of a result, and name them: as :meth:`Format.write`."""
        return self.format.write(result, self.path, photo)


def choose_format(
    form: str, options: Mapping[str, JsonValue] | None = None, registry: Registry | None = None
) -> Format:
    """An exporter by name, held against its options.

    Raises:
        ConfigurationError: no exporter has this name, or an option is wrong.
    """
    registry = registry or host_registry()
    slot = choose("exporters", {**(options or {}), "use": form}, registry, source="export")
    found = registry.load(registry.resolve("exporters", slot.component))
    return Format(slot, tuple(getattr(found, "suffixes", ())), registry)


def plan_export(
    form: str,
    path: str | PathLike[str],
    options: Mapping[str, JsonValue] | None = None,
    registry: Registry | None = None,
) -> Export:
    """An exporter by name, held against its options and its file; nothing is written.

    Raises:
        ConfigurationError: no exporter has this name, or an option is wrong.
        SeemkitError: `path` cannot be written, or has a suffix of another format.
    """
    found = choose_format(form, options, registry)
    target = Path(path)
    _check_suffix(target, form, found.suffixes)
    check_target(target)
    return Export(found, target)


def _check_suffix(path: Path, form: str, suffixes: Sequence[str]) -> None:
    if not suffixes or path.suffix.lower() in suffixes:
        return
    close = nearest(path.suffix.lower(), suffixes) if path.suffix else []
    suggestion = str(path.with_suffix(close[0] if close else suffixes[0]))
    raise SeemkitError(
        f"{str(path)!r} is no file of the format {form!r}, which ends in {' or '.join(suffixes)}; did you mean "
        f"{suggestion!r}?",
        path="export",
        suggestion=suggestion,
    )

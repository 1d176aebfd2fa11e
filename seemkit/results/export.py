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

__all__ = ["Export", "plan_export"]


@dataclass(frozen=True)
class Export:
    """An exporter that was chosen, and where it writes.

    Attributes:
        slot: the exporter and its options.
        path: the file.
        registry: of the components.
    """

    slot: Slot
    path: Path
    registry: Registry

    def write(self, result: Result, photo: str | None = None) -> list[Path]:
        """Write the files of a result, and name them.

        Args:
            result: the result.
            photo: what the format calls the photo; by default a .jpg of the name of `path`.

        Raises:
            SeemkitError: the format cannot hold it, or a file cannot be written.
        """
        component = self.registry.resolve("exporters", self.slot.component)
        found = cast("ExporterComponent", self.registry.load(component))
        try:
            exporter = found.build(self.slot.settings)
            return list(exporter.export(result, self.path, photo=photo or f"{self.path.stem}.jpg"))
        except SeemkitError:
            raise
        except Exception as error:
            raise SeemkitError(
                f"the exporter {self.slot.use!r} of the plugin {component.distribution!r} raised "
                f"{describe_exception(error)[0]}; {component.way_out}",
                path="export",
            ) from error


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
    registry = registry or host_registry()
    slot = choose("exporters", {**(options or {}), "use": form}, registry, source="export")
    found = registry.load(registry.resolve("exporters", slot.component))
    target = Path(path)
    _check_suffix(target, form, tuple(getattr(found, "suffixes", ())))
    check_target(target)
    return Export(slot, target, registry)


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

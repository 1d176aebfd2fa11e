"""Checks of metadata that its source has left behind: editable installs whose pyproject.toml says something else."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

import importlib_metadata
from importlib_metadata import Distribution

from seemkit.doctor.finding import Finding
from seemkit_registry import Component

__all__ = ["check_editable", "check_modules"]


def check_editable(host: str) -> Iterator[Finding]:
    """Entry points and versions of editable plugins, held against their pyproject.toml."""
    for distribution in cast(list[Distribution], list(importlib_metadata.distributions())):
        try:
            folder = _source_of(distribution)
            if folder is None or f"{host}." not in (distribution.read_text("entry_points.txt") or ""):
                continue
            project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get(
                "project", {}
            )
            yield from _compare(distribution, project, folder, host)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # no pyproject.toml, or one that cannot be read: nothing to hold it against


def check_modules(components: list[Component]) -> Iterator[Finding]:
    """Entry points that name a module of which there is no file, which only a stale install does."""
    for component in components:
        source = component.source
        if component.provided_by != "entry point" or component.fault is not None or not source.module:
            continue
        package = source.module.partition(".")[0]
        if source.file is None and not _is_compiled(component, package):
            yield Finding(
                "metadata",
                component.distribution,
                "wrong",
                f"the entry point of {component.kind} {component.versioned!r} names the module "
                f"{source.module!r}, of which there is no file",
                f"install it again: pip install --force-reinstall {component.distribution}",
            )


def _compare(
    distribution: Distribution, project: Mapping[str, object], folder: Path, host: str
) -> Iterator[Finding]:
    name = str(distribution.name)
    again = f"pip install -e {folder}"
    declared = _declared(project, host)
    installed = {
        (e.group, e.name): e.value for e in distribution.entry_points if e.group.startswith(f"{host}.")
    }
    changed = sorted(
        f"{group.removeprefix(f'{host}.')} {entry!r}"
        for group, entry in declared.keys() | installed.keys()
        if declared.get((group, entry)) != installed.get((group, entry))
    )
    if changed and "entry-points" not in (project.get("dynamic") or ()):  # type: ignore[operator]
        said = f"its pyproject.toml declares other entry points than were installed: {', '.join(changed)}"
        yield Finding("metadata", name, "wrong", said, f"install it again: {again}")
    elif _is_newer(folder / "pyproject.toml", distribution):
        said = "its pyproject.toml changed after it was installed"
        yield Finding("metadata", name, "note", said, f"if requirements changed: {again}")


def _declared(project: Mapping[str, object], host: str) -> dict[tuple[str, str], str]:
    groups = project.get("entry-points") or {}
    assert isinstance(groups, dict), "a table of tables"
    return {
        (group, name): str(value)
        for group, entries in groups.items()
        if group.startswith(f"{host}.")
        for name, value in entries.items()
    }


def _source_of(distribution: Distribution) -> Path | None:
    """The folder of an editable install (PEP 610)."""
    found = json.loads(distribution.read_text("direct_url.json") or "{}")
    if not found.get("dir_info", {}).get("editable"):
        return None
    return Path(url2pathname(unquote(urlparse(str(found["url"])).path)))


def _is_newer(file: Path, distribution: Distribution) -> bool:
    metadata = (
        Path(str(distribution.locate_file(""))) / f"{Path(str(getattr(distribution, '_path', ''))).name}"
    )
    installed = metadata / "METADATA"
    return installed.is_file() and file.stat().st_mtime > installed.stat().st_mtime + 1


def _is_compiled(component: Component, package: str) -> bool:
    """Whether a module may be there without a source file, as an extension or a built-in one."""
    from importlib.machinery import EXTENSION_SUFFIXES, PathFinder

    spec = PathFinder.find_spec(package)
    if spec is None:
        return False
    if spec.origin and spec.origin.endswith(tuple(EXTENSION_SUFFIXES)):
        return True
    stem = component.source.module.rpartition(".")[2]
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    return any(
        list(folder.rglob(f"{stem}*{suffix}")) for folder in folders for suffix in EXTENSION_SUFFIXES[-1:]
    )

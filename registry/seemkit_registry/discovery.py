"""Reads the entry points of all installed distributions into components, importing none of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from importlib_metadata import Distribution, EntryPoint, distributions

from seemkit_registry.component import Component
from seemkit_registry.errors import RegistryError
from seemkit_registry.fault import Fault, describe_exception
from seemkit_registry.names import Name, normalise
from seemkit_registry.requirements import (
    ApiRange,
    host_range,
    missing_for_extras,
    pip_install,
    undeclared_extras,
)
from seemkit_registry.source import Source

__all__ = ["Discovery", "discover"]


@dataclass(frozen=True)
class Discovery:
    """What the metadata of the installed distributions says.

    Attributes:
        components: sorted by kind, name and distribution; those at fault already are quarantined.
        faults: of distributions whose metadata cannot be read, so that their components are unknown.
    """

    components: tuple[Component, ...]
    faults: tuple[Fault, ...]


def discover(host: str, host_version: str | None, path: Sequence[str] | None = None) -> Discovery:
    """Components in the entry-point groups ``host.<kind>`` of the distributions on `path` (``sys.path``)."""
    components: list[Component] = []
    faults: list[Fault] = []
    for distribution in _plugin_distributions(host, path, faults):
        try:
            components += _read(distribution, host, host_version)
        except Exception as error:
            faults.append(_broken(distribution, error))
    components.sort(key=lambda c: (c.kind, c.name, c.distribution, c.revision or 1))
    faults.sort(key=lambda fault: fault.plugin)
    return Discovery(tuple(components), tuple(faults))


def _plugin_distributions(
    host: str, path: Sequence[str] | None, faults: list[Fault]
) -> Iterator[Distribution]:
    """The distributions that mention a group of the host; the first of a name on the path counts."""
    names: set[str] = set()
    for distribution in _search(path):
        try:
            if f"{host}." in (distribution.read_text("entry_points.txt") or ""):
                names.add(normalise(distribution.name))
        except Exception as error:
            faults.append(_broken(distribution, error))
    for name in sorted(names):
        yield from _search(path, name)[:1]


def _search(path: Sequence[str] | None, name: str | None = None) -> list[Distribution]:
    """All distributions on `path`, or those called `name`, in the order of the path."""
    where: dict[str, object] = {} if path is None else {"path": list(path)}
    if name is not None:
        where["name"] = name
    return cast(list[Distribution], list(distributions(**where)))


def _read(distribution: Distribution, host: str, host_version: str | None) -> list[Component]:
    name, version = normalise(distribution.name), str(distribution.version)
    api = host_range(distribution, host)
    by_key: defaultdict[tuple[str, str, int], list[Component]] = defaultdict(list)
    for entry in distribution.entry_points:
        if not entry.group.startswith(f"{host}."):
            continue
        component = _describe(entry, distribution, entry.group.removeprefix(f"{host}."), name, version, api)
        if component.fault is None:
            component = _check(component, distribution, host, host_version, api)
        by_key[component.kind, component.name, component.revision or 1].append(component)
    return [_only(group) for group in by_key.values()]


def _describe(
    entry: EntryPoint, distribution: Distribution, kind: str, name: str, version: str, api: ApiRange
) -> Component:
    base = Component(
        kind=kind,
        name=entry.name,
        distribution=name,
        version=version,
        value=entry.value,
        api=api.specifier,
    )
    try:
        parsed = Name.parse(entry.name, kind=kind)
        if parsed.distribution is not None:
            raise RegistryError(f"its name {entry.name!r} holds a '/'", kind=kind, name=entry.name)
    except RegistryError as error:
        return _quarantine(base, str(error), "ask its author to rename the entry point")
    try:
        source = Source(entry.module, entry.attr or "", distribution)
        extras = tuple(sorted(normalise(extra) for extra in entry.extras))
    except (ValueError, AttributeError):
        cause = f"its entry point {entry.value!r} is not of the form 'module:attribute'"
        return _quarantine(
            replace(base, name=parsed.bare, revision=parsed.revision), cause, "report it to its author"
        )
    return replace(base, name=parsed.bare, revision=parsed.revision, extras=extras, source=source)


def _check(
    component: Component, distribution: Distribution, host: str, host_version: str | None, api: ApiRange
) -> Component:
    plugin = component.distribution
    if api.invalid is not None:
        cause = f"its requirement {api.invalid!r} cannot be read"
        return _quarantine(component, cause, f"reinstall it: pip install --force-reinstall {plugin}")
    if not api.admits(host_version):
        cause = f"it asks for {host}{api.specifier} but {host} {host_version} is installed"
        remedy = (
            f'install a version of it that fits (pip install --upgrade {plugin}) or "{host}{api.specifier}"'
        )
        return _quarantine(component, cause, remedy)
    undeclared = undeclared_extras(distribution, component.extras) if component.extras else []
    if undeclared:
        cause = f"its entry point asks for extras that it does not declare: {', '.join(undeclared)}"
        return _quarantine(component, cause, "report it to its author")
    missing = missing_for_extras(distribution, component.extras) if component.extras else []
    if missing:
        cause = f"it needs what is not installed: {', '.join(missing)}"
        return _quarantine(component, cause, f"run {pip_install(plugin, component.extras)}")
    return component


def _only(group: list[Component]) -> Component:
    values = sorted({component.value for component in group})
    if len(values) == 1:
        return group[0]
    first = min(group, key=lambda component: component.value)
    cause = f"its distribution declares the name more than once: {', '.join(values)}"
    return _quarantine(first, cause, "ask its author to rename or version one of them")


def _quarantine(component: Component, cause: str, remedy: str) -> Component:
    fault = Fault(component.kind, component.versioned, component.distribution, cause, remedy)
    return replace(component, state="quarantined", fault=fault)


def _broken(distribution: Distribution, error: Exception) -> Fault:
    said, trace = describe_exception(error)
    try:
        plugin = normalise(distribution.name)
    except Exception:
        folder = str(getattr(distribution, "_path", "unknown")).replace("\\", "/").rsplit("/", 1)[-1]
        plugin = normalise(folder.split("-", 1)[0]) or "unknown"
    remedy = f"reinstall it (pip install --force-reinstall {plugin}) or remove it"
    return Fault("", "", plugin, f"its metadata cannot be read ({said})", remedy, trace)

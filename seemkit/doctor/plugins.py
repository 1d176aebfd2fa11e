"""Checks of plugins: quarantined, hanging or dying at import, contested names, missing requirements and extras."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import cast

import importlib_metadata
from importlib_metadata import Distribution
from packaging.requirements import Requirement

from seemkit.doctor.apart import Outcome
from seemkit.doctor.finding import Finding
from seemkit.doctor.libraries import told
from seemkit_registry import Component, Fault, normalise
from seemkit_registry.requirements import (
    declared_extras,
    missing_for_extras,
    missing_requirements,
    pip_install,
)

__all__ = ["check_extras", "check_names", "check_plugins", "way_out"]


def check_plugins(outcomes: Iterable[Outcome], broken: Iterable[Fault]) -> Iterator[Finding]:
    """What importing the components of each plugin came to.

    Args:
        outcomes: of the steps ``plugin:DISTRIBUTION``.
        broken: faults of distributions whose components are unknown.
    """
    for fault in broken:
        yield Finding("plugins", fault.plugin, "wrong", fault.cause, fault.remedy)
    for outcome in outcomes:
        plugin = outcome.step.partition(":")[2]
        if outcome.state == "raised":
            yield Finding(
                "plugins", plugin, "wrong", f"it cannot be looked at: {told(outcome)}", way_out(plugin)
            )
        elif outcome.state != "done":
            said = f"its import {outcome.value}"
            yield Finding("plugins", plugin, "wrong", said, way_out(plugin))
        elif not outcome.value:
            yield Finding("plugins", plugin, "fine", "all that it provides can be imported")
        else:
            yield from _faults(plugin, outcome)


def check_names(components: Iterable[Component], host: str) -> Iterator[Finding]:
    """Names that several distributions provide: the bare name is then refused."""
    providers: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for component in components:
        providers[component.kind, component.name].add(component.distribution)
    for (kind, name), found in sorted(providers.items()):
        if len(found) > 1:
            choices = " or ".join(f"{each}/{name}" for each in sorted(found))
            yield Finding(
                "plugins",
                ", ".join(sorted(found - {host})),
                "note",
                f"{' and '.join(sorted(found))} both provide {kind} {name!r}, so the bare name is refused",
                f"write {choices}, or prefer: {{{kind}: {{{name}: {host if host in found else min(found)}}}}}",
            )


def check_extras(distributions: Iterable[str], host: str) -> Iterator[Finding]:
    """What the plugins require and is not there; extras that are not installed are good to know."""
    for name in distributions:
        try:
            distribution = cast(Distribution, importlib_metadata.distribution(name))
            lacking = missing_requirements(distribution)
            extras = {
                extra: missing_for_extras(distribution, [extra]) for extra in declared_extras(distribution)
            }
        except Exception:  # broken metadata is a finding of its own
            continue
        lacking = [text for text in lacking if normalise(Requirement(text).name) != host]  # a fault by itself
        if lacking:
            quoted = " ".join(f'"{each}"' for each in lacking)
            said = f"it requires what is not installed: {', '.join(lacking)}"
            yield Finding("requirements", name, "wrong", said, f"pip install {quoted}")
        for extra, missing in extras.items():
            if missing and not (name == host and extra == "dev"):
                said = f"its extra {extra!r} is not installed ({', '.join(missing)})"
                yield Finding("requirements", name, "note", said, pip_install(name, [extra]))


def way_out(plugin: str) -> str:
    """What to do about a plugin that cannot be imported."""
    return f"update it (pip install --upgrade {plugin}) or remove it (pip uninstall {plugin})"


def _faults(plugin: str, outcome: Outcome) -> Iterator[Finding]:
    for fault in outcome.value if isinstance(outcome.value, list) else []:
        what, cause, remedy = map(str, fault if isinstance(fault, list) else ("", "", ""))
        yield Finding("plugins", plugin, "wrong", f"{what} is quarantined: {cause}", remedy)

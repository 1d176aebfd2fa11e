"""What a plugin's metadata asks for: a range of host versions, and the requirements of its extras."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from importlib_metadata import Distribution, PackageNotFoundError, version
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from seemkit_registry.names import normalise

__all__ = [
    "ApiRange",
    "declared_extras",
    "extra_providing",
    "host_range",
    "missing_for_extras",
    "missing_requirements",
    "pip_install",
    "undeclared_extras",
]


@dataclass(frozen=True)
class ApiRange:
    """The versions of the host that a distribution asks for.

    Attributes:
        specifier: such as ``<2,>=0.1``; empty means any.
        invalid: the requirement as written, if it cannot be read.
    """

    specifier: str = ""
    invalid: str | None = None

    def admits(self, host_version: str | None) -> bool:
        """Whether a host of this version will do; an unknown version does."""
        if host_version is None or not self.specifier:
            return True
        try:
            return SpecifierSet(self.specifier).contains(Version(host_version), prereleases=True)
        except InvalidVersion:
            return True


def host_range(distribution: Distribution, host: str) -> ApiRange:
    """The range of `host` versions in the Requires-Dist lines of `distribution`."""
    ranges: list[str] = []
    for text in distribution.requires or []:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            if normalise(text[: len(host)]) == normalise(host):
                return ApiRange(invalid=text)
            continue
        if normalise(requirement.name) == normalise(host) and _applies(requirement, ""):
            ranges.append(str(requirement.specifier))
    return ApiRange(str(SpecifierSet(",".join(part for part in ranges if part))))


def missing_for_extras(distribution: Distribution, extras: Collection[str]) -> list[str]:
    """What `extras` of `distribution` need and is not installed, as written in its metadata."""
    missing: list[str] = []
    for extra in extras:
        for requirement in _requirements_of(distribution, extra, frozenset()):
            if not _installed(requirement):
                missing.append(_without_marker(requirement))
    return list(dict.fromkeys(missing))


def missing_requirements(distribution: Distribution) -> list[str]:
    """What `distribution` requires whatever its extras, and is not installed, as written in its metadata."""
    missing: list[str] = []
    for text in distribution.requires or []:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if _applies(requirement, "") and not _installed(requirement):
            missing.append(_without_marker(requirement))
    return missing


def declared_extras(distribution: Distribution) -> list[str]:
    """The extras that `distribution` has, sorted."""
    return sorted(_declared_extras(distribution))


def undeclared_extras(distribution: Distribution, extras: Collection[str]) -> list[str]:
    """Those of `extras` that `distribution` does not have."""
    declared = _declared_extras(distribution)
    return [extra for extra in extras if normalise(extra) not in declared]


def extra_providing(distribution: Distribution, module: str) -> str | None:
    """The extra of `distribution` that requires a distribution named like `module`, if one does."""
    wanted = normalise(module.split(".", 1)[0])
    for extra in sorted(_declared_extras(distribution)):
        if any(normalise(r.name) == wanted for r in _requirements_of(distribution, extra, frozenset())):
            return extra
    return None


def pip_install(distribution: str, extras: Collection[str] = ()) -> str:
    """The command line that installs `distribution` with `extras`."""
    return f'pip install "{distribution}[{",".join(extras)}]"' if extras else f"pip install {distribution}"


def _declared_extras(distribution: Distribution) -> set[str]:
    return {normalise(extra) for extra in distribution.metadata.get_all("Provides-Extra") or []}


def _requirements_of(distribution: Distribution, extra: str, seen: frozenset[str]) -> Iterator[Requirement]:
    """The requirements that `extra` adds; an extra made of other extras is followed."""
    if normalise(extra) in seen:
        return
    for text in distribution.requires or []:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or _applies(requirement, "") or not _applies(requirement, extra):
            continue
        if normalise(requirement.name) == normalise(distribution.name):
            for inner in sorted(requirement.extras):
                yield from _requirements_of(distribution, inner, seen | {normalise(extra)})
        else:
            yield requirement


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _installed(requirement: Requirement) -> bool:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return False
    try:
        return requirement.specifier.contains(Version(found), prereleases=True)
    except (InvalidVersion, TypeError):
        return True


def _without_marker(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"

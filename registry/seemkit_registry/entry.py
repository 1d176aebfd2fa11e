"""What the registry keeps of one component: its description, and its object once there is one."""

import dataclasses
from typing import Final

from seemkit_registry.component import Component, ProvidedBy
from seemkit_registry.errors import RegistryError
from seemkit_registry.fault import Fault
from seemkit_registry.names import Name, normalise
from seemkit_registry.source import Source

__all__ = ["Entry", "Key", "key_of", "local_component"]

Key = tuple[str, str, str, int]
"""Kind, distribution, bare name and revision."""

_ABSENT: Final = object()


class Entry:
    """One row of the registry's table; its owner guards it."""

    def __init__(self, component: Component, loaded: object = _ABSENT) -> None:
        self.component = component
        self._loaded = loaded

    @property
    def is_loaded(self) -> bool:
        """Whether its object is here."""
        return self._loaded is not _ABSENT

    @property
    def loaded(self) -> object:
        """Its object; only if `is_loaded`."""
        assert self.is_loaded, "the object of an entry was taken before it was loaded"
        return self._loaded

    def settle(self, found: object) -> None:
        """Enter the object."""
        self._loaded = found
        self.component = dataclasses.replace(self.component, state="loaded")

    def quarantine(self, fault: Fault) -> None:
        """Enter the fault and let go of the object."""
        self._loaded = _ABSENT
        self.component = dataclasses.replace(self.component, state="quarantined", fault=fault)

    def inherit(self, old: "Entry") -> None:
        """Take over the object of the entry that had this key before, if it is still the same plugin."""
        new = self.component
        if old.is_loaded and new.fault is None:
            before = old.component
            if (new.value, new.version) == (before.value, before.version):
                self.settle(old.loaded)


def key_of(component: Component) -> Key:
    """The key under which the registry keeps `component`."""
    return component.kind, component.distribution, component.name, component.revision or 1


def local_component(
    kind: str, name: str, distribution: str, value: str, provided_by: ProvidedBy, source: Source
) -> Component:
    """The description of a component that no metadata declares; raises if `name` is not one."""
    parsed = Name.parse(name, kind=kind)
    if parsed.distribution is not None:
        raise RegistryError(
            f"{name!r} names a distribution; register {parsed.bare!r} with "
            f"distribution={parsed.distribution!r}",
            kind=kind,
            name=name,
        )
    return Component(
        kind=kind,
        name=parsed.bare,
        revision=parsed.revision,
        distribution=normalise(distribution),
        version="",
        value=value,
        provided_by=provided_by,
        state="loaded",
        source=source,
    )

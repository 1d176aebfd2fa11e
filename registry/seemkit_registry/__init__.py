"""The plugin engine of seemkit: discovery, names, conflicts, quarantine, suggestions, hooks and schema."""

import threading

from seemkit_registry.component import Component
from seemkit_registry.errors import (
    AmbiguousComponent,
    ConfigurationError,
    PluginQuarantined,
    Problem,
    RegistryError,
    UnknownComponent,
)
from seemkit_registry.fault import Fault
from seemkit_registry.hooks import HookSet, hookimpl
from seemkit_registry.names import Name, normalise
from seemkit_registry.registry import KINDS, Registry
from seemkit_registry.resolution import Preferences
from seemkit_registry.suggestion import nearest

__all__ = [
    "KINDS",
    "AmbiguousComponent",
    "Component",
    "ConfigurationError",
    "Fault",
    "HookSet",
    "Name",
    "PluginQuarantined",
    "Preferences",
    "Problem",
    "Registry",
    "RegistryError",
    "UnknownComponent",
    "default",
    "hookimpl",
    "nearest",
    "normalise",
]

_lock = threading.Lock()
_default: Registry | None = None


def default() -> Registry:
    """The registry of this process, made when it is first asked for."""
    global _default
    with _lock:
        if _default is None:
            _default = Registry()
        return _default

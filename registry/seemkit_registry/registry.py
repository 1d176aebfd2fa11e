"""The plugin engine: lists components without importing them, and loads one under guard when asked for."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import importlib_metadata
from pydantic import JsonValue, TypeAdapter

from seemkit_registry.component import Component
from seemkit_registry.discovery import discover
from seemkit_registry.entry import Entry, Key, key_of, local_component
from seemkit_registry.errors import PluginQuarantined, RegistryError, UnknownComponent
from seemkit_registry.fault import Fault
from seemkit_registry.fault_log import FaultLog
from seemkit_registry.hooks import HookSet
from seemkit_registry.loading import Validator, import_component, validate
from seemkit_registry.local_file import Classify, declared_in, run_file
from seemkit_registry.names import Name, normalise
from seemkit_registry.patience import patience
from seemkit_registry.resolution import Preferences, active, merge_preferences, resolve
from seemkit_registry.schema import Arms, ModelOf, collect, json_schema, union_adapter
from seemkit_registry.source import Source
from seemkit_registry.suggestion import nearest

__all__ = ["KINDS", "Registry"]

KINDS = (
    "answer_policies",
    "backbones",
    "datasets",
    "exporters",
    "hooks",
    "mask_decoders",
    "pixel_decoders",
    "prompts",
    "text_encoders",
)
"""The kinds that are always there; any entry-point group ``seemkit.<kind>`` adds its own."""


def _same(found: object) -> object:
    return found


class Registry:
    """All components of all installed plugins, of notebooks and of one-file plugins. Thread-safe.

    Nothing is read before the first question. A plugin at fault is quarantined: the fault is logged once on
    ``logging.getLogger("seemkit")`` as one line and kept in :meth:`faults`. With ``SEEMKIT_STRICT=1`` in the
    environment it is raised instead, wherever it is met, listings included.

    Args:
        host: prefix of the entry-point groups and name of the distribution that plugins depend on.
        host_version: what plugins' requirements on the host are held against; by default the installed one.
        path: folders searched for distributions; by default ``sys.path``.
        preferences: which distribution a bare name means, ``{kind: {name: distribution}}``.
        strict: raise faults; by default as the environment says.
    """

    def __init__(
        self,
        *,
        host: str = "seemkit",
        host_version: str | None = None,
        path: Sequence[str] | None = None,
        preferences: Preferences | None = None,
        strict: bool | None = None,
    ) -> None:
        self.host = host
        self.preferences: Preferences = dict(preferences or {})
        self._host_version = host_version
        self._path = None if path is None else list(path)
        self._log = FaultLog(strict)
        self._lock = threading.RLock()  # guards the tables; never held while code of a plugin runs
        self._installed: dict[Key, Entry] | None = None
        self._local: dict[Key, Entry] = {}
        self._validators: dict[str, Validator] = {}
        self._broken: dict[str, Fault] = {}  # distributions whose components are unknown
        self._broken_files: dict[Path, Fault] = {}
        self._broken_models: dict[Key, Fault] = {}
        self._importing: list[Component] = []

    # What there is

    def components(self, kind: str | None = None) -> list[Component]:
        """All components, or those of `kind`, sorted by kind, name and distribution; imports nothing."""
        if kind is not None:
            self._check_kind(kind)
        found = [e.component for e in self._table().values() if kind is None or e.component.kind == kind]
        return sorted(found, key=lambda c: (c.kind, c.name, c.distribution, c.revision or 1))

    def active(self, kind: str, preferences: Preferences | None = None) -> list[Component]:
        """The highest revision of each name and distribution, after preferences; imports nothing."""
        return active(kind, self.components(kind), merge_preferences(self.preferences, preferences))

    def kinds(self) -> list[str]:
        """Kinds that are always there or that a plugin provides, sorted."""
        return sorted({*KINDS, *self._validators, *(key[0] for key in self._table())})

    def faults(self) -> list[Fault]:
        """Every fault known by now, sorted by plugin."""
        found = [e.component.fault for e in self._table().values() if e.component.fault is not None]
        with self._lock:
            found += [*self._broken.values(), *self._broken_files.values(), *self._broken_models.values()]
        return sorted(found, key=lambda fault: (fault.plugin, fault.kind, fault.name))

    @property
    def importing(self) -> Component | None:
        """The component whose plugin is being imported at this moment, so that a hang can be blamed."""
        running = self._importing[-1:]
        return running[0] if running else None

    @property
    def strict(self) -> bool:
        """Whether faults are raised rather than logged."""
        return self._log.strict

    # One component

    def resolve(self, kind: str, name: str, preferences: Preferences | None = None) -> Component:
        """The component that `name` means; imports nothing.

        Args:
            kind: such as ``prompts``.
            name: ``points``, ``points@2``, ``distribution/points`` or ``distribution/points@2``.
            preferences: over those of the registry.

        Raises:
            UnknownComponent: with the nearest right name.
            AmbiguousComponent: several distributions provide it.
        """
        self._check_kind(kind)
        components = self.components()
        with self._lock:
            broken = [*self._broken.values(), *self._broken_files.values()]
        return resolve(kind, name, components, merge_preferences(self.preferences, preferences), broken)

    def get(self, kind: str, name: str, preferences: Preferences | None = None) -> object:
        """The object behind the component that `name` means, imported if it was not yet.

        Raises:
            UnknownComponent, AmbiguousComponent: as :meth:`resolve`.
            PluginQuarantined: its plugin is at fault.
        """
        return self.load(self.resolve(kind, name, preferences))

    def load(self, component: Component) -> object:
        """The object behind `component`; raises :class:`PluginQuarantined` if its plugin is at fault."""
        entry = self._table().get(key_of(component))
        if entry is None:
            raise UnknownComponent(
                f"{component.kind} {component.qualified!r} is not installed any more",
                kind=component.kind,
                name=component.qualified,
            )
        with self._lock:
            if entry.component.fault is not None:
                raise entry.component.fault.error()
            if entry.is_loaded:
                return entry.loaded
            described, validator = entry.component, self._validators.get(component.kind)
        # No lock here: a plugin may ask the registry for others while it is imported, and Python's own import
        # locks see to it that a module runs once. Whichever thread comes first below decides.
        with self._blame(described):
            found = import_component(described, validator)
        with self._lock:
            if entry.component.fault is None and not entry.is_loaded:
                if isinstance(found, Fault):
                    entry.quarantine(found)
                    self._log.report(found)
                else:
                    entry.settle(found)
            if entry.component.fault is not None:
                raise entry.component.fault.error()
            return entry.loaded

    # What the host and its users add

    def expect(self, kind: str, validator: Validator) -> None:
        """Hold every object of `kind` against `validator`, which says what is wrong with it, or None."""
        with self._lock:
            self._validators[kind] = validator
            known = [*(self._installed or {}).values(), *self._local.values()]  # asks for no metadata
            entries = [e for e in known if e.component.kind == kind and e.is_loaded]
        for entry in entries:
            fault = validate(entry.component, entry.loaded, validator)
            if fault is not None:
                self.quarantine(entry.component, fault)

    def register(
        self, kind: str, name: str, obj: object, *, distribution: str = "local", replace: bool = True
    ) -> Component:
        """Add `obj` as a component, as a notebook does; registering the name again replaces it.

        Raises:
            RegistryError: the name is malformed or, without `replace`, taken; or the object is wrong.
        """
        doc = getattr(obj, "__doc__", None)
        summary = doc.strip().split("\n", 1)[0].strip() if isinstance(doc, str) else ""
        label = getattr(obj, "__qualname__", type(obj).__qualname__)
        value = f"{getattr(obj, '__module__', '?')}:{label}"
        source = Source("", known_summary=summary)
        component = local_component(kind, name, distribution, value, "registered", source)
        self._add([Entry(component, obj)], replace=replace)
        return component

    def unregister(self, kind: str, name: str, *, distribution: str = "local") -> None:
        """Take out what was registered, or read from a file, under `name`; raises if nothing was."""
        parsed = Name.parse(name, kind=kind)
        key = kind, parsed.distribution or normalise(distribution), parsed.bare, parsed.revision or 1
        with self._lock:
            if self._local.pop(key, None) is not None:
                return
            hint = f"; it is installed, so: pip uninstall {key[1]}" if key in self._table() else ""
        raise UnknownComponent(
            f"{kind} {name!r} of {key[1]!r} was not registered here{hint}",
            kind=kind,
            name=name,
            plugin=key[1],
        )

    def load_file(self, path: str | Path, classify: Classify | None = None) -> list[Component]:
        """Run a one-file plugin and add what it declares; running it again replaces what it declared before.

        A class or function declares itself by an attribute ``component = ("prompts", "lasso")`` or through
        `classify`, which returns such a pair or None.

        Raises:
            RegistryError: no such file, not a ``.py`` file, or it declares nothing or wrongly.
            PluginQuarantined: it raised; the fault is kept in :meth:`faults`.
        """
        path = Path(path)
        module, origin = run_file(path), path.resolve()
        with self._lock:
            self._broken_files.pop(origin, None)
            for key, entry in list(self._local.items()):
                if entry.component.provided_by == "file" and entry.component.file == origin:
                    del self._local[key]
            if isinstance(module, Fault):
                self._broken_files[origin] = module
                raise module.error()
        entries: list[Entry] = []
        for found in declared_in(module, path, classify):
            value = f"{path.name}:{found.attribute}"
            source = Source("", found.attribute, known_file=origin)
            described = local_component(found.kind, found.name, "local", value, "file", source)
            entries.append(Entry(described, found.object))
        self._add(entries, replace=True)
        return [entry.component for entry in entries]

    def refresh(self) -> None:
        """Read the metadata again, as after a pip uninstall; what is quarantined gets a new chance."""
        importlib_metadata.MetadataPathFinder.invalidate_caches()
        with self._lock:
            before: dict[Key, Entry] = self._installed or {}
            self._installed = None
            self._table()
            for key, old in before.items():
                if self._installed is not None and key in self._installed:
                    self._installed[key].inherit(old)

    def quarantine(self, component: Component, fault: Fault) -> None:
        """Keep `component` out from now on because of `fault`, which is logged once, or raised if strict."""
        with self._lock:
            entry = self._table().get(key_of(component))
            if entry is not None:
                entry.quarantine(fault)
        self._log.report(fault)

    # What is made of all of a kind

    def load_all(self, kind: str, preferences: Preferences | None = None) -> list[tuple[Component, object]]:
        """Every usable active component with its object; those at fault are left out, and logged."""
        found: list[tuple[Component, object]] = []
        for component in self.active(kind, preferences):
            try:
                found.append((component, self.load(component)))
            except PluginQuarantined:
                if self.strict:
                    raise
        return found

    def hooks(self) -> HookSet:
        """The hook plugins, loaded one by one under guard, for one pipeline."""
        return HookSet(self.load_all("hooks"), on_fault=self.quarantine)

    def union(
        self,
        kind: str,
        *,
        model_of: ModelOf = _same,
        discriminator: str = "type",
        preferences: Preferences | None = None,
    ) -> TypeAdapter[object]:
        """A validator for the discriminated union of the models behind the components of `kind`."""
        arms = collect(self.load_all(kind, preferences), model_of, discriminator)
        self._keep_faults(kind, arms)
        return union_adapter(kind, arms)

    def schema(
        self,
        kind: str,
        *,
        model_of: ModelOf = _same,
        discriminator: str = "type",
        preferences: Preferences | None = None,
    ) -> dict[str, JsonValue]:
        """The JSON schema of :meth:`union`; what is left out is named under ``x-seemkit-quarantined``."""
        arms = collect(self.load_all(kind, preferences), model_of, discriminator).drawable()
        self._keep_faults(kind, arms)
        out = {c.qualified: c.fault for c in self.active(kind, preferences) if c.fault is not None}
        return json_schema(arms, out)

    # Within

    def _table(self) -> dict[Key, Entry]:
        """Everything by key; what was registered hides what is installed under the same key."""
        with self._lock:
            if self._installed is None:
                version = self._host_version or _version_of(self.host)
                found = discover(self.host, version, self._path)
                for fault in [*found.faults, *(c.fault for c in found.components if c.fault is not None)]:
                    self._log.report(fault)  # if strict this raises, and the next question will again
                self._broken = {fault.plugin: fault for fault in found.faults}
                self._installed = {key_of(component): Entry(component) for component in found.components}
            return {**self._installed, **self._local}

    def _check_kind(self, kind: str) -> None:
        kinds = self.kinds()
        if kind in kinds:
            return
        near = nearest(kind, kinds)
        hint = f"did you mean {near[0]!r}?" if near else f"kinds are {', '.join(kinds)}"
        message = f"there is no kind of component {kind!r}; {hint}"
        raise UnknownComponent(message, kind=kind, suggestion=near[0] if near else None)

    @contextmanager
    def _blame(self, component: Component) -> Iterator[None]:
        self._importing.append(component)
        slow = nullcontext() if component.distribution == self.host else patience(component)
        try:
            with slow:
                yield
        finally:
            self._importing.remove(component)

    def _add(self, entries: list[Entry], *, replace: bool) -> None:
        """Check all of them, then enter all of them."""
        for entry in entries:
            component = entry.component
            self._check_kind(component.kind)
            fault = validate(component, entry.loaded, self._validators.get(component.kind))
            if fault is not None:
                raise _refused(component, f"was not registered: {fault.cause}")
            if not replace and key_of(component) in self._table():
                raise _refused(component, "exists already")
        with self._lock:
            self._local.update({key_of(entry.component): entry for entry in entries})

    def _keep_faults(self, kind: str, arms: Arms) -> None:
        with self._lock:
            others = {key: fault for key, fault in self._broken_models.items() if key[0] != kind}
            self._broken_models = {**others, **{key_of(c): fault for c, fault in arms.faults}}
        for _, fault in arms.faults:
            self._log.report(fault)


def _refused(component: Component, why: str) -> RegistryError:
    message = f"{component.kind} {component.qualified!r} {why}"
    return RegistryError(
        message, kind=component.kind, name=component.versioned, plugin=component.distribution
    )


def _version_of(host: str) -> str | None:
    try:
        return importlib_metadata.version(host)
    except importlib_metadata.PackageNotFoundError:
        return None

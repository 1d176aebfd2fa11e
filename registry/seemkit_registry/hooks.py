"""Cross-cutting hooks: chains in which every plugin may look at, or replace, what passes by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from pluggy import HookimplMarker, HookspecMarker, PluginManager, PluginValidationError

from seemkit_registry.component import Component
from seemkit_registry.fault import Fault, describe_exception, one_line
from seemkit_registry.suggestion import nearest

__all__ = ["HOOKS", "HookSet", "HookSpecs", "hookimpl", "hookspec"]

T = TypeVar("T")
OnFault = Callable[[Component, Fault], None]

hookspec = HookspecMarker("seemkit")
hookimpl = HookimplMarker("seemkit")
"""Marks a function of a hook plugin: ``@hookimpl def after_predict(result): ...``."""

HOOKS = ("after_encode", "after_predict", "before_decode", "before_encode", "configure")


class HookSpecs:
    """The moments at which a hook plugin is called; None means unchanged, anything else replaces."""

    @hookspec
    def configure(self, assembly: object) -> object:
        """The assembly, before a pipeline is built from it."""

    @hookspec
    def before_encode(self, image: object) -> object:
        """The pixels of an image, before they are resized for the image encoder."""

    @hookspec
    def after_encode(self, scene: object) -> object:
        """The scene, after the image encoder made it."""

    @hookspec
    def before_decode(self, round: object) -> object:  # noqa: A002 - the name is part of the interface
        """The round, before the mask decoder sees it."""

    @hookspec
    def after_predict(self, result: object) -> object:
        """The result, before it is returned."""


@dataclass(frozen=True)
class _Step:
    """One implementation of one hook."""

    component: Component
    function: Callable[..., object]
    takes_value: bool


class HookSet:
    """The hook plugins of one pipeline, in the order of their qualified names (tryfirst and trylast count).

    A plugin that raises, or returns something of another type than it was given, is left out from then on
    and reported through `on_fault`; the others go on. An empty set is falsy and its calls return at once.

    Args:
        plugins: component and loaded object of each; a class is instantiated.
        on_fault: is told of each plugin that is left out; may raise, and then the call raises.
    """

    def __init__(
        self, plugins: Sequence[tuple[Component, object]] = (), on_fault: OnFault | None = None
    ) -> None:
        self._on_fault: OnFault = on_fault or (lambda component, fault: None)
        self._steps: dict[str, tuple[_Step, ...]] = {}
        if not plugins:
            return
        manager = PluginManager("seemkit")
        manager.add_hookspecs(HookSpecs)
        kept: dict[str, Component] = {}
        # pluggy calls the plugin registered last first.
        for component, plugin in sorted(plugins, key=lambda pair: pair[0].qualified, reverse=True):
            fault = _add(manager, component, plugin)
            if fault is None:
                kept[component.qualified] = component
            else:
                self._on_fault(component, fault)
        for hook in HOOKS:
            implementations = reversed(getattr(manager.hook, hook).get_hookimpls())
            steps = [_Step(kept[i.plugin_name], i.function, bool(i.argnames)) for i in implementations]
            if steps:
                self._steps[hook] = tuple(steps)

    def __bool__(self) -> bool:
        return bool(self._steps)

    @property
    def plugins(self) -> list[str]:
        """Qualified names of the plugins that are in, sorted."""
        return sorted({step.component.qualified for steps in self._steps.values() for step in steps})

    def configure(self, assembly: T) -> T:
        """`assembly` as the plugins leave it."""
        return self._chain("configure", assembly) if self._steps else assembly

    def before_encode(self, image: T) -> T:
        """`image` as the plugins leave it."""
        return self._chain("before_encode", image) if self._steps else image

    def after_encode(self, scene: T) -> T:
        """`scene` as the plugins leave it."""
        return self._chain("after_encode", scene) if self._steps else scene

    def before_decode(self, round: T) -> T:  # noqa: A002
        """`round` as the plugins leave it."""
        return self._chain("before_decode", round) if self._steps else round

    def after_predict(self, result: T) -> T:
        """`result` as the plugins leave it."""
        return self._chain("after_predict", result) if self._steps else result

    def _chain(self, hook: str, value: T) -> T:
        for step in self._steps.get(hook, ()):
            try:
                returned = step.function(value) if step.takes_value else step.function()
            except KeyboardInterrupt:
                raise
            except (Exception, SystemExit) as error:
                said, trace = describe_exception(error)
                self._leave_out(step.component, f"its hook {hook!r} raised {said}", trace)
                continue
            if returned is None:
                continue
            if not (isinstance(returned, type(value)) or isinstance(value, type(returned))):
                kinds = f"{type(returned).__name__} instead of {type(value).__name__} or None"
                self._leave_out(step.component, f"its hook {hook!r} returned {kinds}")
                continue
            value = cast(T, returned)
        return value

    def _leave_out(self, component: Component, cause: str, trace: str = "") -> None:
        remaining = {
            hook: tuple(step for step in steps if step.component is not component)
            for hook, steps in self._steps.items()
        }
        self._steps = {hook: steps for hook, steps in remaining.items() if steps}
        self._on_fault(component, _fault(component, cause, trace))


def _add(manager: PluginManager, component: Component, plugin: object) -> Fault | None:
    """Register `plugin`, or say why it cannot be."""
    try:
        if isinstance(plugin, type):
            plugin = plugin()
        manager.register(plugin, name=component.qualified)
        wrong = _misfit(manager, plugin)
    except PluginValidationError as error:
        wrong = one_line(str(error))
    except KeyboardInterrupt:
        raise
    except (Exception, SystemExit) as error:
        said, trace = describe_exception(error)
        _remove(manager, component)
        return _fault(component, f"its hooks cannot be read ({said})", trace)
    if wrong is None:
        return None
    _remove(manager, component)
    return _fault(component, wrong)


def _misfit(manager: PluginManager, plugin: object) -> str | None:
    """What about the hooks of a registered plugin this host cannot honour, or None."""
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        return "it implements no hook; mark its functions with seemkit's hookimpl"
    for caller in callers:
        own = [i for i in caller.get_hookimpls() if i.plugin is plugin]
        if not caller.has_spec() and not all(i.optionalhook for i in own):
            near = nearest(caller.name, HOOKS)
            hint = f"; did it mean {near[0]!r}?" if near else ""
            return f"it implements {caller.name!r}, which is no hook{hint}"
        if any(i.hookwrapper or i.wrapper for i in own):
            return f"its hook {caller.name!r} is a wrapper; return the new value instead"
    return None


def _remove(manager: PluginManager, component: Component) -> None:
    if manager.has_plugin(component.qualified):
        manager.unregister(name=component.qualified)


def _fault(component: Component, cause: str, trace: str = "") -> Fault:
    plugin = component.distribution
    return Fault(component.kind, component.versioned, plugin, cause, component.way_out, trace)

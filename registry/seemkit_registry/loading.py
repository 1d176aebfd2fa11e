"""Imports the object behind an entry point under guard: whatever the plugin does, the host lives."""

import importlib
from collections.abc import Callable

from seemkit_registry.component import Component
from seemkit_registry.fault import Fault, describe_exception, one_line
from seemkit_registry.requirements import extra_providing, pip_install
from seemkit_registry.suggestion import nearest

__all__ = ["Validator", "import_component", "validate"]

Validator = Callable[[object], str | None]
"""Looks at an object of its kind: None if it is right, else what is wrong, as part of a sentence."""


def import_component(component: Component, validator: Validator | None = None) -> object:
    """The object behind the entry point of `component`, or the :class:`Fault` that keeps it out.

    Everything that a plugin can raise becomes a fault, SystemExit included; KeyboardInterrupt is the user's
    and goes through.
    """
    module_name, attribute = component.source.module, component.source.attribute
    try:
        found: object = importlib.import_module(module_name)
        for part in attribute.split(".") if attribute else []:
            if not hasattr(found, part):
                return _no_attribute(component, found, part)
            found = getattr(found, part)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        return _missing_module(component, error)
    except BaseException as error:
        return _raised(component, error)
    return validate(component, found, validator) or found


def validate(component: Component, found: object, validator: Validator | None) -> Fault | None:
    """The fault of `found` as an object of its kind, or None."""
    if validator is None:
        return None
    try:
        wrong = validator(found)
    except Exception as error:
        said, trace = describe_exception(error)
        cause = f"the object behind it ({component.value}) could not be checked ({said})"
        return _fault(component, cause, component.way_out, trace)
    if wrong is None:
        return None
    return _fault(
        component, f"a wrong object is behind it ({component.value}): {one_line(wrong)}", component.way_out
    )


def _fault(component: Component, cause: str, remedy: str, trace: str = "") -> Fault:
    return Fault(component.kind, component.versioned, component.distribution, cause, remedy, trace)


def _missing_module(component: Component, error: ModuleNotFoundError) -> Fault:
    plugin, wanted = component.distribution, component.source.module
    missing = error.name or ""
    said, trace = describe_exception(error)
    if not missing:
        return _fault(component, f"its import raised {said}", f"reinstall it: pip install {plugin}", trace)
    if wanted == missing or wanted.startswith(f"{missing}."):
        cause = f"the module {missing!r} behind its entry point does not exist"
        return _fault(component, cause, f"reinstall it: pip install --force-reinstall {plugin}", trace)
    cause = f"it needs the module {missing!r}, which is not installed"
    extras = component.extras
    if not extras and component.source.distribution is not None:
        extra = extra_providing(component.source.distribution, missing)
        extras = (extra,) if extra else ()
    if extras:
        return _fault(component, cause, f"run {pip_install(plugin, extras)}", trace)
    return _fault(component, cause, f"install it, or remove the plugin: pip uninstall {plugin}", trace)


def _no_attribute(component: Component, holder: object, part: str) -> Fault:
    near = nearest(part, [name for name in dir(holder) if not name.startswith("_")])
    where = component.source.module
    hint = f" (there is {near[0]!r})" if near else ""
    cause = f"the module {where!r} has no attribute {component.source.attribute!r}{hint}"
    return _fault(component, cause, f"update it: pip install --upgrade {component.distribution}")


def _raised(component: Component, error: BaseException) -> Fault:
    said, trace = describe_exception(error)
    remedy = component.way_out
    if "torchvision::" in said:  # compiled for another torch, and no fault of the plugin
        remedy = (
            "torch and torchvision do not fit each other: pip install --force-reinstall torch torchvision"
        )
    if isinstance(error, SystemExit):
        return _fault(component, f"its import tried to end the program ({said})", remedy, trace)
    return _fault(component, f"its import raised {said}", remedy, trace)

"""`seemkit.register`: a component that is written in a notebook cell or a script, without a distribution."""

import re

from seemkit.host import registry
from seemkit.prompting.prompt import Prompt

__all__ = ["register"]


def register(component: object, kind: str | None = None, name: str | None = None) -> object:
    """Make a component known to this process; running the cell again replaces it. Usable as a decorator.

    Args:
        component: a prompt type, backbone or other component.
        kind: such as "backbones"; a prompt type says itself what it is.
        name: by default the `type` of a prompt type, or the class's name in lower case.

    Returns:
        the component.
    """
    if isinstance(component, type) and issubclass(component, Prompt):
        kind = kind or "prompts"
        default = component.model_fields["type"].default
        name = name or (default if isinstance(default, str) else component.__name__.lower())
    if kind is None:
        raise TypeError("register() needs the kind of a component that is not a prompt, such as 'backbones'")
    given = name or re.sub(r"\W", "_", getattr(component, "__name__", type(component).__name__)).lower()
    registry().register(kind, given, component)
    return component

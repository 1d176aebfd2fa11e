"""Finds the one component that a name means, or says why there is none and what was meant."""

from collections.abc import Mapping, Sequence

from seemkit_registry.component import Component
from seemkit_registry.errors import AmbiguousComponent, RegistryError, UnknownComponent
from seemkit_registry.fault import Fault
from seemkit_registry.names import Name, normalise
from seemkit_registry.suggestion import nearest

__all__ = ["Preferences", "active", "merge_preferences", "resolve"]

Preferences = Mapping[str, Mapping[str, str]]
"""Which distribution a bare name means: ``{"prompts": {"points": "seemkit"}}``."""


def resolve(
    kind: str,
    text: str,
    components: Sequence[Component],
    preferences: Preferences,
    broken: Sequence[Fault] = (),
) -> Component:
    """The component of `kind` that `text` names: bare, versioned or qualified.

    Args:
        kind: such as ``prompts``.
        text: the name as somebody wrote it.
        components: of all kinds.
        preferences: decide a bare name that several distributions provide.
        broken: faults of plugins whose components are unknown, for the message.

    Raises:
        UnknownComponent: with the nearest right name.
        AmbiguousComponent: several distributions provide it and no preference decides.
    """
    try:
        name = Name.parse(text, kind=kind)
    except RegistryError:
        raise _unknown(kind, text, None, components, broken) from None
    named = [c for c in components if c.kind == kind and c.name == name.bare]
    wanted = name.distribution
    if wanted is None and name.bare in preferences.get(kind, {}):
        wanted = normalise(preferences[kind][name.bare])
        if named and all(c.distribution != wanted for c in named):
            raise _wrong_preference(kind, name, wanted, named)
    found = [
        c
        for c in named
        if (wanted is None or c.distribution == wanted)
        and (name.revision is None or (c.revision or 1) == name.revision)
    ]
    if not found:
        raise _unknown(kind, text, name, components, broken)
    providers = sorted({c.distribution for c in found})
    if len(providers) > 1:
        raise _ambiguous(kind, name, providers)
    return max(found, key=lambda c: c.revision or 1)


def active(kind: str, components: Sequence[Component], preferences: Preferences) -> list[Component]:
    """The highest revision of every name and distribution; a preference leaves out the others of its name."""
    best: dict[tuple[str, str], Component] = {}
    for component in components:
        if component.kind != kind:
            continue
        preferred = preferences.get(kind, {}).get(component.name)
        if preferred is not None and normalise(preferred) != component.distribution:
            continue
        key = component.name, component.distribution
        if key not in best or (best[key].revision or 1) < (component.revision or 1):
            best[key] = component
    return [best[key] for key in sorted(best)]


def merge_preferences(base: Preferences, more: Preferences | None) -> Preferences:
    """`base` with the preferences of `more` over it."""
    if not more:
        return base
    return {kind: {**base.get(kind, {}), **more.get(kind, {})} for kind in {*base, *more}}


def _ambiguous(kind: str, name: Name, providers: list[str]) -> AmbiguousComponent:
    qualified = [str(Name(name.bare, name.revision, provider)) for provider in providers]
    choices = " or ".join(repr(choice) for choice in qualified)
    return AmbiguousComponent(
        f"{len(providers)} distributions provide {kind} {str(name)!r}: write {choices}, or state a "
        f"preference such as prefer: {{{kind}: {{{name.bare}: {providers[0]}}}}}",
        kind=kind,
        name=str(name),
        suggestion=qualified[0],
    )


def _wrong_preference(kind: str, name: Name, wanted: str, named: list[Component]) -> UnknownComponent:
    providers = sorted({c.distribution for c in named})
    return UnknownComponent(
        f"the preference for {kind} {name.bare!r} is the distribution {wanted!r}, which does not provide it; "
        f"{_list(providers)} does",
        kind=kind,
        name=str(name),
        suggestion=(nearest(wanted, providers) or providers)[0],
        path=f"prefer.{kind}.{name.bare}",
    )


def _unknown(
    kind: str, text: str, name: Name | None, components: Sequence[Component], broken: Sequence[Fault]
) -> UnknownComponent:
    of_kind = [c for c in components if c.kind == kind]
    names = sorted({c.name for c in of_kind})
    message, suggestion = _what_is_wrong(kind, text, name, of_kind, names)
    plugin = None
    if name is not None:
        elsewhere = sorted({c.kind for c in components if c.name == name.bare and c.kind != kind})
        if elsewhere:
            message += f"; {name.bare!r} exists among the {_list(elsewhere, quote=False)}"
        for fault in broken:
            if _may_provide(fault, name):
                message, plugin = f"{message}; {fault.one_line}", fault.plugin
    return UnknownComponent(message, kind=kind, name=text, suggestion=suggestion, plugin=plugin)


def _what_is_wrong(
    kind: str, text: str, name: Name | None, of_kind: list[Component], names: list[str]
) -> tuple[str, str | None]:
    """The message without its asides, and the suggestion."""
    same = [c for c in of_kind if name is not None and c.name == name.bare]
    if name is not None and same:
        own = [c for c in same if name.distribution in (None, c.distribution)]
        choices = sorted({c.qualified for c in own or same})
        lack = "version" if own else "distribution"
        return f"{kind} {text!r} names a {lack} that is not installed; there is {_list(choices)}", choices[0]
    bare = name.bare if name is not None else text.rsplit("/", 1)[-1].split("@", 1)[0]
    near = nearest(bare, names)
    if name is not None and name.distribution is not None and not near:
        return (
            f"{kind} {text!r} is of the distribution {name.distribution!r}, which does not provide any {kind} here; "
            f"if you trust it: pip install --upgrade {name.distribution}"
        ), None
    if near:
        return f"no {kind} component is named {text!r}; did you mean {near[0]!r}?", near[0]
    have = f"installed are {', '.join(names)}" if names else "none is installed"
    have += "; if a plugin brings it, install that plugin"
    return f"no {kind} component is named {text!r}; {have}", None


def _may_provide(fault: Fault, name: Name) -> bool:
    """Whether the components of a plugin that could not be read may include `name`."""
    if name.distribution is not None:
        return normalise(fault.plugin) == name.distribution
    stem = fault.plugin.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".py")
    return normalise(name.bare) in normalise(stem).split("-")


def _list(words: Sequence[str], *, quote: bool = True) -> str:
    return " and ".join(repr(word) if quote else word for word in words)

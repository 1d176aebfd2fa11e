"""`seemkit info`: one component, prompt type or assembly, described."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seemkit.cli.command import Command
from seemkit.cli.failure import RequestError

if TYPE_CHECKING:
    from seemkit.cli.prompt_flags import PromptFlag
    from seemkit_registry import Component

__all__ = ["find_components", "info", "prompt_flags_by_name", "unknown_component"]

_YAML = (".yaml", ".yml")


@click.command(cls=Command)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--check", is_flag=True, help="Hold it to its conformance suite too; this runs it.")
def info(name: str, as_json: bool, check: bool) -> None:
    """Describe a component, a prompt type or an assembly.

    NAME is a component such as points, points@1 or seemkit/points, a prompt type such as point, the name of
    an assembly, or an assembly's YAML file.
    """
    from seemkit.cli.faults import mute_faults

    mute_faults()
    found = [dict(each) for each in _describe(name)]
    if not found:
        raise unknown_component(name)
    if check:
        from seemkit.cli.conformance_line import conformance_line

        for each in found:
            if "assembly" not in each:
                each["conformance"] = conformance_line(str(each["kind"]), str(each["qualified"]))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for place, about in enumerate(found):
        if place:
            click.echo()
        _print(about)


def _describe(name: str) -> Iterator[Mapping[str, Any]]:
    """All that the name means, as plain data: it may be a component of several kinds, and an assembly."""
    from seemkit.assembly.load import assembly_names
    from seemkit.cli.about_assembly import describe_assembly
    from seemkit.cli.about_component import describe_component

    if name.endswith(_YAML):
        yield describe_assembly(name)
        return
    flags = prompt_flags_by_name()
    for component in find_components(name, flags):
        yield describe_component(component, flags.get(component.qualified))
    if name in assembly_names():
        yield describe_assembly(name)


def find_components(name: str, flags: "Mapping[str, PromptFlag] | None" = None) -> "list[Component]":
    """Every component that a name means, of any kind; a prompt type is known by its JSON type too.

    Args:
        name: such as ``points``, ``seemkit/points``, ``points@2`` or ``point``.
        flags: what every prompt type is on the command line, if that is known already.
    """
    from seemkit.host import registry
    from seemkit_registry import Name, RegistryError

    try:
        parsed = Name.parse(name)
    except RegistryError:
        return []
    flags = prompt_flags_by_name() if flags is None else flags
    typed = {key for key, flag in flags.items() if flag.kind.type_name() == name}
    return [
        component
        for component in registry().components()
        if component.qualified in typed
        or (
            component.name == parsed.bare
            and parsed.distribution in (None, component.distribution)
            and parsed.revision in (None, component.revision or 1)
        )
    ]


def prompt_flags_by_name() -> "dict[str, PromptFlag]":
    """What every usable prompt type is on the command line of `seemkit segment`, by qualified name."""
    from seemkit.cli.prompt_flags import prompt_flags
    from seemkit.cli.segment import segment

    own = {name.removeprefix("--") for parameter in segment.params for name in parameter.opts}
    return {flag.component.qualified: flag for flag in prompt_flags(own)}


def unknown_component(name: str) -> RequestError:
    """The error for a name that nothing has, with the nearest that something has."""
    from seemkit.assembly.load import assembly_names
    from seemkit.host import registry
    from seemkit_registry import nearest

    kinds = registry().kinds()
    if name in kinds:
        return RequestError(f"{name!r} is a kind of component: seemkit plugins {name}", suggestion=name)
    types = [flag.kind.type_name() for flag in prompt_flags_by_name().values()]
    names = [component.name for component in registry().components()]
    near = nearest(Path(name).name, [*names, *types, *assembly_names()])
    hint = f"did you mean {near[0]!r}?" if near else "'seemkit plugins' lists what there is"
    return RequestError(
        f"no component, prompt type or assembly is named {name!r}; {hint}",
        suggestion=near[0] if near else None,
    )


def _print(about: Mapping[str, Any]) -> None:
    from seemkit.cli.tables import print_lines

    head = about.get("assembly") or f"{about['kind']} {about['qualified']}"
    click.echo(f"{head}\n")
    text = about.get("about") or about["summary"]
    if text:
        click.echo(f"{text}\n")
    print_lines(_assembly_lines(about) if "assembly" in about else _component_lines(about))
    if about.get("conformance"):
        click.echo(f"\nconformance: {about['conformance']}")
    if about.get("options"):
        click.echo("\noptions")
        _print_options(about["options"])


def _component_lines(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "from", " ".join(filter(None, (about["distribution"], about["version"])))
    yield "state", about["fault"] or about["state"]
    yield "source", f"{about['file']}:{about['line']}" if about["file"] else about["value"]
    if "type" in about:
        yield "type", f"{about['type']} ({about['level']} prompt, canvas tool: {about['canvas']})"
        yield "flags", ", ".join(about["flags"])
        yield "unnamed", about["unnamed"]
        if about["usage"]:
            yield "such as", f"seemkit segment photo.jpg {about['usage']}"
        yield "json", json.dumps(about["example"])[:400]
    elif "use" in about:
        yield "use", about["use"]
        if "example" in about:
            yield "such as", about["example"]
    if about.get("shapes"):
        yield "shapes", about["shapes"]


def _assembly_lines(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for slot, choice in about["slots"].items():
        rest = {key: value for key, value in choice.items() if key != "use"}
        yield slot, f"{choice['use']} {_pairs(rest)}".rstrip()
    for choice in about["hooks"]:
        rest = {key: value for key, value in choice.items() if key != "use"}
        yield "hook", f"{choice['use']} {_pairs(rest)}".rstrip()
    yield "prompts", about["prompts"] if isinstance(about["prompts"], str) else ", ".join(about["prompts"])
    if about["preprocess"]:
        yield "preprocess", _pairs(about["preprocess"])
    if about["vocabulary"] is not None:
        yield "vocabulary", f"{about['vocabulary']} names of its own"
    weights = about["weights"]
    if weights is None:
        yield "weights", "none; give --weights FILE, or --weights none for random ones"
    else:
        made = weights.get("published") if weights.get("file") is None else None
        lacking = f"not there: seemkit pull {about['use'].removeprefix('-m ')}" if made else "not there"
        size = lacking if weights["bytes"] is None else f"{weights['bytes'] / 1e6:.1f} MB"
        yield "weights", ", ".join(filter(None, (weights["path"], size, weights.get("license"))))
        if made:
            yield "made of", f"{made['file']} of {made['repo']}, revision {made.get('revision', 'main')}"
    if about["file"]:
        yield "source", about["file"]
    yield "use", about["use"]


def _pairs(values: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={json.dumps(value)}" for key, value in values.items())


def _print_options(options: Sequence[Mapping[str, Any]]) -> None:
    from seemkit.cli.tables import print_table

    rows = [
        [o["name"], o["kind"], "required" if o["default"] is None else o["default"], o["about"]]
        for o in options
    ]
    print_table(["name", "type", "default", "what it is"], rows)

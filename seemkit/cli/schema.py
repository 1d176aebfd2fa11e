"""`seemkit schema`: the JSON schema of assemblies, prompts or one component, of what is installed."""

import json
from typing import TYPE_CHECKING

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.failure import RequestError

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["schema"]


@click.command(cls=Command)
@click.argument("name", default="assembly", metavar="[assembly|evaluation|recipe|prompts|NAME]")
@click.option("-o", "--output", "out", metavar="FILE", help="Write it to a file; by default it is printed.")
@click.option("--kind", metavar="KIND", help="Of a name that components of several kinds have, such as coco.")
@click.option("--built-in", is_flag=True, help="Of assemblies: only what comes with seemkit itself.")
def schema(name: str, out: str | None, kind: str | None, built_in: bool) -> None:
    """Print the JSON schema of assemblies, evaluations, recipes, prompts, or of a component's options.

    It describes what is installed, in the dialect 2020-12. NAME is a component such as fpn or seemkit/fpn, or
    a prompt type such as point. A YAML file whose first line is
    `# yaml-language-server: $schema=FILE` is checked by editors as it is written.
    """
    with chatter_aside():
        found = _schema_of(name, kind, built_in)
    text = f"{json.dumps(found, indent=2, ensure_ascii=False)}\n"
    if out is None:
        click.echo(text, nl=False)
        return
    from seemkit.results.atomic import replacing

    with replacing(out) as file:
        file.write(text.encode())
    click.echo(f"{out}: the schema of {name}")


def _schema_of(name: str, kind: str | None, built_in: bool) -> "dict[str, JsonValue]":
    from seemkit.host import registry

    if kind is not None:
        registry().components(kind)  # refuses a kind that there is not
        return _schema_of_one(name, kind)
    if name == "assembly":
        from seemkit.assembly.schema import assembly_schema

        return assembly_schema(registry(), registry().host if built_in else None)
    if name == "evaluation":
        from seemkit.evaluation.schema import evaluation_schema

        return evaluation_schema()
    if name == "recipe":
        from seemkit.training.recipe.schema import recipe_schema

        return recipe_schema()
    if name == "prompts":
        return {"title": "seemkit prompt", **registry().schema("prompts")}
    return _schema_of_one(name, None)


def _schema_of_one(name: str, kind: str | None) -> "dict[str, JsonValue]":
    """The schema of a prompt type, or of the options of a component."""
    from pydantic.json_schema import GenerateJsonSchema

    from seemkit.assembly.schema import options_schema
    from seemkit.cli.info import find_components
    from seemkit.host import registry
    from seemkit.prompting.prompt import Prompt

    found = [component for component in find_components(name) if kind in (None, component.kind)]
    kinds = sorted({component.kind for component in found})
    if len(kinds) > 1:
        choices = " or ".join(f"--kind {each}" for each in kinds)
        raise RequestError(f"{name!r} is the name of components of several kinds: add {choices}", path="name")
    if len({component.distribution for component in found}) > 1:
        qualified = " or ".join(repr(component.qualified) for component in found)
        raise RequestError(f"{name!r} is the name of several components: write {qualified}", path="name")
    if not found:
        raise _unknown(name)
    component = max(found, key=lambda each: each.revision or 1)
    value = registry().load(component)
    if isinstance(value, type) and issubclass(value, Prompt):
        return {"$schema": GenerateJsonSchema.schema_dialect, **value.model_json_schema()}
    return options_schema(component, registry())


def _unknown(name: str) -> RequestError:
    from seemkit.cli.info import unknown_component
    from seemkit_registry import nearest

    near = nearest(name, ("assembly", "evaluation", "recipe", "prompts"))
    if near:
        return RequestError(f"there is no schema of {name!r}; did you mean {near[0]!r}?", suggestion=near[0])
    return unknown_component(name)

"""The JSON schema of recipes: for editors, and to read what each field means."""

from typing import cast

from pydantic import JsonValue
from pydantic.json_schema import GenerateJsonSchema

from seemkit.host import registry
from seemkit.training.recipe.recipe import VERSION, Recipe, Source

__all__ = ["recipe_schema"]

Schema = dict[str, JsonValue]


def recipe_schema() -> Schema:
    """The schema, in the dialect 2020-12; of data sets it knows the names, not the options."""
    found = cast(Schema, Recipe.model_json_schema())
    properties = cast(Schema, found["properties"])
    sections = cast(dict[str, Schema], found["$defs"])
    names = sorted({c.name for c in registry().components() if c.kind == "datasets"})
    use: Schema = {"type": "string", "examples": cast(list[JsonValue], names)}
    fields = cast(Schema, Source.model_json_schema()["properties"])
    own: Schema = {name: fields[name] for name in Source.own()}
    source: Schema = {"type": "object", "properties": {"use": use, **own}, "required": ["use"]}
    cast(Schema, cast(Schema, sections["DataSection"]["properties"])["sources"])["items"] = {
        "anyOf": [use, source]
    }
    return {
        **found,
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "seemkit recipe",
        "properties": {"seemkit": {"const": VERSION}, "extends": {"type": "string"}, **properties},
        "required": ["seemkit"],
    }

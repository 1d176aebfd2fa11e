"""The JSON schema of evaluations: for editors, and to read what a measure can be told."""

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import GenerateJsonSchema

from seemkit.evaluation.config import VERSION, PlainFields
from seemkit.evaluation.measures.table import MEASURES
from seemkit.host import registry

__all__ = ["evaluation_schema"]

Schema = dict[str, JsonValue]


def evaluation_schema() -> Schema:
    """The schema, in the dialect 2020-12; of data sets it knows the names, not the options."""
    fields = PlainFields.model_json_schema()
    named = {name: _measure(model, name) for name, model in MEASURES.items()}
    chosen: list[JsonValue] = [_measure(model, name, needed=True) for name, model in MEASURES.items()]
    measures: Schema = {
        "type": "object",
        "minProperties": 1,
        "properties": {name: {"anyOf": [own, *chosen]} for name, own in named.items()},
        "additionalProperties": {"anyOf": chosen},
    }
    properties = fields["properties"]
    assert isinstance(properties, dict), "a model has properties"
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "seemkit evaluation",
        "type": "object",
        "properties": {
            "seemkit": {"const": VERSION},
            **properties,
            "datasets": _datasets(),
            "measures": measures,
        },
        "required": ["seemkit", "datasets", "measures"],
        "additionalProperties": False,
    }


def _datasets() -> Schema:
    """Entries that choose a data set."""
    names = sorted({c.name for c in registry().components() if c.kind == "datasets"})
    use: Schema = {"type": "string", "examples": list(names)}
    hundredth: Schema = {"type": "integer", "minimum": 0, "maximum": 100}
    part: Schema = {
        "type": "array",
        "items": hundredth,
        "minItems": 2,
        "maxItems": 2,
        "description": "pictures of which hundredths, from the first to before the second",
    }
    keys: Schema = {"type": "string", "description": "a text file that names the pictures, a key a line"}
    chosen: Schema = {
        "type": "object",
        "properties": {"use": use, "hundredths": part, "keys": keys},
        "required": ["use"],
    }
    return {"type": "object", "minProperties": 1, "additionalProperties": {"anyOf": [use, chosen]}}


def _measure(model: type[BaseModel], name: str, *, needed: bool = False) -> Schema:
    """The options of a measure; with `use`, or where the entry's own name says it, also without."""
    own = model.model_json_schema()
    properties = own.get("properties", {})
    assert isinstance(properties, dict), "a model has properties"
    found: Schema = {
        "type": ["object", "null"] if not needed else "object",
        "description": str(own.get("description", "")),
        "properties": {"use": {"const": name}, **properties},
        "additionalProperties": False,
    }
    return {**found, "required": ["use"]} if needed else found

"""The JSON schema of assemblies, of what is installed: for editors, and for programs that write assemblies.

It says what JSON Schema can say. What depends on several fields at once, such as a width that has to split into
heads, is left to :func:`seemkit.assembly.load_assembly`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import GenerateJsonSchema

from seemkit.assembly.assembly import HOOKS_ARE, SLOTS, VERSION, FixedPart
from seemkit.choice import NoOptions
from seemkit_registry import KINDS, Component, Registry

__all__ = ["assembly_schema", "options_schema"]

Schema = dict[str, JsonValue]

OPTIONAL = "answer_policy"
"""The slot that may be left out."""
NULL: Schema = {"type": "null"}


@dataclass(frozen=True)
class Arm:
    """One choice for a slot.

    Attributes:
        names: how an assembly may call the component.
        properties: of its options.
        required: options without a default.
        about: its summary under ``description``, if it has one.
    """

    names: list[JsonValue]
    properties: Schema
    required: list[JsonValue]
    about: Schema

    def whole(self) -> Schema:
        """The mapping ``use: NAME`` and its options."""
        return _object({"use": {"enum": self.names}, **self.properties}, ["use", *self.required], self.about)

    def over(self) -> Schema:
        """The same over a base: options alone are those of the base's component, null takes one away."""
        nullable = {name: _or_null(schema) for name, schema in self.properties.items()}
        return _object({"use": {"enum": self.names}, **nullable}, [], self.about)

    def short(self) -> Schema:
        """The name alone."""
        return {"enum": self.names, **self.about}


def assembly_schema(registry: Registry, distribution: str | None = None) -> Schema:
    """The schema (2020-12) of an assembly; plugins at fault are named under ``x-seemkit-quarantined``.

    Each slot takes the name of a component, or a mapping whose ``use`` selects the options. An assembly with
    ``extends`` may leave everything out, and take fields away with null. Backbones and text encoders are
    imported for their options.

    Args:
        registry: of the components.
        distribution: leave out the components of any other.
    """
    definitions: Schema = {}
    installed = [c for c in registry.components() if distribution in (None, c.distribution)]
    arms = {slot: _arms(slot, kind, registry, installed, definitions) for slot, kind in SLOTS.items()}
    hooks = _arms("hooks", "hooks", registry, installed, definitions)
    names = _names(installed, {*KINDS, *(c.kind for c in installed)})
    fixed = {**_properties(FixedPart, "", definitions), **names}
    loose = {**_properties(FixedPart, "over.", definitions), **names}
    for name in definitions:
        if name.startswith("over."):
            definitions[name] = {k: v for k, v in _mapping(definitions[name]).items() if k != "required"}
    head: Schema = {
        "seemkit": {"const": VERSION, "description": "version of the form"},
        "extends": {"type": "string", "description": "name or YAML file of the assembly underneath"},
    }
    whole: Schema = {
        slot: {"oneOf": [*[a.short() for a in found if not a.required], *[a.whole() for a in found]]}
        for slot, found in arms.items()
    }
    over: Schema = {
        slot: {"anyOf": [*[a.short() for a in found], *[a.over() for a in found], NULL]}
        for slot, found in arms.items()
    }
    listed = _hooks(hooks)
    nullable = {name: _or_null(schema) for name, schema in {**loose, "hooks": listed}.items()}
    definitions["whole"] = _object(
        {**head, **whole, **fixed, "hooks": listed},
        ["seemkit", *[slot for slot in SLOTS if slot != OPTIONAL]],
    )
    definitions["over"] = _object({**head, **over, **nullable}, ["seemkit", "extends"])
    left_out: Schema = {c.qualified: c.fault.one_line for c in installed if c.fault is not None}
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "seemkit assembly",
        "description": "One installed component per slot, and its options.",
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/over"},
        "else": {"$ref": "#/$defs/whole"},
        "$defs": definitions,
        **({"x-seemkit-quarantined": left_out} if left_out else {}),
    }


def options_schema(component: Component, registry: Registry) -> Schema:
    """The schema of the options of one component, which is imported."""
    definitions: Schema = {}
    arm = _arm(component, [component.qualified], "", registry, definitions)
    schema = _object(arm.properties, arm.required, arm.about)
    head: Schema = {"$schema": GenerateJsonSchema.schema_dialect, "title": component.qualified}
    return {**head, **schema, **({"$defs": definitions} if definitions else {})}


def _arms(
    slot: str, kind: str, registry: Registry, installed: Collection[Component], definitions: Schema
) -> list[Arm]:
    """The choices for a slot; models within their options join the definitions."""
    wanted = {component.qualified for component in installed}
    loaded = [component for component, _ in registry.load_all(kind) if component.qualified in wanted]
    providers = Counter(component.name for component in loaded)
    arms = []
    for component in loaded:
        bare = [component.name, component.versioned] if providers[component.name] == 1 else []
        names = dict.fromkeys([*bare, f"{component.distribution}/{component.name}", component.qualified])
        arms.append(_arm(component, names, f"{slot}.{component.name}.", registry, definitions))
    return arms


def _hooks(arms: Sequence[Arm]) -> Schema:
    """A list of hooks, each by its name or with its options."""
    choices: list[JsonValue] = [*[a.short() for a in arms if not a.required], *[a.whole() for a in arms]]
    items: Schema = {"oneOf": choices} if choices else {"not": {}}
    return {"type": "array", "description": HOOKS_ARE, "items": items}


def _arm(
    component: Component, names: Iterable[str], prefix: str, registry: Registry, definitions: Schema
) -> Arm:
    model = getattr(registry.load(component), "Options", NoOptions)
    properties = _properties(model, prefix, definitions)
    required: list[JsonValue] = [
        field.alias or name for name, field in model.model_fields.items() if field.is_required()
    ]
    return Arm(
        list(names), properties, required, {"description": component.summary} if component.summary else {}
    )


def _properties(model: type[BaseModel], prefix: str, definitions: Schema) -> Schema:
    """The properties of a model; the models within it join the definitions under `prefix`."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    definitions.update({f"{prefix}{name}": found for name, found in schema.get("$defs", {}).items()})
    found: Schema = schema.get("properties", {})
    return found


def _names(installed: Iterable[Component], kinds: Iterable[str]) -> Schema:
    """The fields that hold names, with what is installed."""
    types = [component for component in installed if component.kind == "prompts"]
    prompts = sorted({name for c in types for name in (c.name, c.versioned, c.qualified)})
    fields = FixedPart.model_fields
    choices: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
    return {
        "prompts": {
            "anyOf": [{"const": "all"}, {"type": "array", "items": {"enum": [*prompts]}}],
            "description": fields["prompts"].description,
        },
        "prefer": _object(
            dict.fromkeys(sorted(kinds), choices), [], {"description": fields["prefer"].description}
        ),
    }


def _object(
    properties: Mapping[str, JsonValue], required: list[JsonValue], about: Schema | None = None
) -> Schema:
    schema: Schema = {**(about or {}), "type": "object", "additionalProperties": False}
    return {**schema, "properties": dict(properties), **({"required": required} if required else {})}


def _or_null(schema: JsonValue) -> Schema:
    return {"anyOf": [schema, NULL]}


def _mapping(schema: JsonValue) -> Schema:
    assert isinstance(schema, dict), "the schema of a model is a mapping"
    return schema

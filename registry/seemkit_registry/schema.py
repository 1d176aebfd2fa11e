"""One discriminated union, and its JSON schema, of the pydantic models behind the components of a kind."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, Discriminator, JsonValue, Tag, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from seemkit_registry.component import Component
from seemkit_registry.errors import RegistryError
from seemkit_registry.fault import Fault, describe_exception

__all__ = ["Arm", "Arms", "ModelOf", "collect", "json_schema", "union_adapter"]

ModelOf = Callable[[object], object]
"""Takes the object behind a component to its pydantic model; the object itself by default."""


@dataclasses.dataclass(frozen=True)
class Arm:
    """One choice of the union: a component, its model and the tag that selects it."""

    component: Component
    model: type[BaseModel]
    tag: str


@dataclasses.dataclass(frozen=True)
class Arms:
    """The choices of a union, and what did not become one.

    Attributes:
        discriminator: the field that selects.
        arms: by tag; no tag occurs twice.
        faults: components without a usable model.
        ambiguous: tags that several components claim, with their qualified names; a preference decides.
    """

    discriminator: str
    arms: tuple[Arm, ...]
    faults: tuple[tuple[Component, Fault], ...]
    ambiguous: Mapping[str, Sequence[str]]

    def drawable(self) -> "Arms":
        """Those whose model has a JSON schema; the others join the faults."""
        good: list[Arm] = []
        faults = list(self.faults)
        for arm in self.arms:
            try:
                models_json_schema([(arm.model, "validation")])
                good.append(arm)
            except Exception as error:
                faults.append((arm.component, _fault(arm.component, "its model has no JSON schema", error)))
        return dataclasses.replace(self, arms=tuple(good), faults=tuple(faults))


def collect(loaded: Sequence[tuple[Component, object]], model_of: ModelOf, discriminator: str) -> Arms:
    """The choices that `loaded` components offer."""
    by_tag: defaultdict[str, list[Arm]] = defaultdict(list)
    faults: list[tuple[Component, Fault]] = []
    for component, found in loaded:
        try:
            model = model_of(found)
            if not (isinstance(model, type) and issubclass(model, BaseModel)):
                raise TypeError(
                    f"expected a pydantic model, got {getattr(model, '__name__', type(model).__name__)}"
                )
            arm = _tag(component, model, discriminator)
            by_tag[arm.tag].append(arm)
        except Exception as error:
            faults.append((component, _fault(component, "it has no usable model", error)))
    return Arms(
        discriminator,
        tuple(by_tag[tag][0] for tag in sorted(by_tag) if len(by_tag[tag]) == 1),
        tuple(faults),
        {
            tag: [arm.component.qualified for arm in arms]
            for tag, arms in sorted(by_tag.items())
            if len(arms) > 1
        },
    )


def union_adapter(kind: str, arms: Arms) -> TypeAdapter[object]:
    """Validates plain data, or an instance, into the model that its discriminator selects."""
    if not arms.arms:
        raise RegistryError(f"no {kind} component is usable, so there is nothing to choose from", kind=kind)

    def read_tag(value: object) -> str | None:
        found: object = getattr(value, arms.discriminator, None)
        if isinstance(value, Mapping):
            found = value.get(arms.discriminator)
        return found if isinstance(found, str) else None

    choices: list[object] = [Annotated[arm.model, Tag(arm.tag)] for arm in arms.arms]
    union: Any = Annotated[reduce(or_, choices), Discriminator(read_tag)]
    return TypeAdapter(union)


def json_schema(arms: Arms, quarantined: Mapping[str, Fault]) -> dict[str, JsonValue]:
    """The union as JSON schema, with extensions that name what is missing from it.

    Args:
        arms: of the union.
        quarantined: qualified names of components left out before they could become arms, and why. They and
            the faults of `arms` come under ``x-seemkit-quarantined``, contested tags under
            ``x-seemkit-ambiguous``.
    """
    schema: dict[str, JsonValue] = {"$schema": GenerateJsonSchema.schema_dialect}
    if arms.arms:
        pairs: list[tuple[type[BaseModel], Literal["validation"]]] = [
            (a.model, "validation") for a in arms.arms
        ]
        references, definitions = models_json_schema(pairs)
        targets: list[JsonValue] = [references[pair]["$ref"] for pair in pairs]
        schema["oneOf"] = [{"$ref": target} for target in targets]
        mapping: JsonValue = {arm.tag: target for arm, target in zip(arms.arms, targets, strict=True)}
        schema["discriminator"] = {"propertyName": arms.discriminator, "mapping": mapping}
        schema.update(definitions)
        _require_tag(definitions.get("$defs", {}), targets, arms.discriminator)
    else:
        schema["not"] = {}
    left_out = {**quarantined, **{component.qualified: fault for component, fault in arms.faults}}
    if left_out:
        schema["x-seemkit-quarantined"] = {name: fault.one_line for name, fault in sorted(left_out.items())}
    if arms.ambiguous:
        schema["x-seemkit-ambiguous"] = {tag: list(names) for tag, names in arms.ambiguous.items()}
    return schema


def _require_tag(definitions: dict[str, Any], targets: Sequence[JsonValue], discriminator: str) -> None:
    """The field that selects has a default in each model, but a value without it selects nothing."""
    for target in targets:
        found = definitions[str(target).removeprefix("#/$defs/")]
        found["required"] = [discriminator, *(n for n in found.get("required", []) if n != discriminator)]


def _tag(component: Component, model: type[BaseModel], discriminator: str) -> Arm:
    """`model` as an arm: its literal field `discriminator` is the tag; without one a subclass gets one."""
    field = model.model_fields.get(discriminator)
    choices = get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()
    if len(choices) == 1 and isinstance(choices[0], str):
        return Arm(component, model, choices[0])
    tag = field.default if field and isinstance(field.default, str) else component.name
    added: dict[str, Any] = {discriminator: (Literal[tag], tag)}
    derived = create_model(
        model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **added
    )
    return Arm(component, derived, tag)


def _fault(component: Component, what: str, error: Exception) -> Fault:
    said, trace = describe_exception(error)
    cause, plugin = f"{what} ({said})", component.distribution
    return Fault(component.kind, component.versioned, plugin, cause, component.way_out, trace)

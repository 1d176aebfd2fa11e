"""The discriminated union of a kind: what it takes, its JSON schema, and what it leaves out."""

from typing import Literal

import pytest
from pydantic import BaseModel, ValidationError

from seemkit_registry import RegistryError


class Point(BaseModel):
    """A click."""

    type: Literal["point"] = "point"
    x: float


class Box(BaseModel):
    """A box."""

    width: float


class Options:
    """A component that keeps its model as Options."""

    class Options(BaseModel):
        depth: int = 1


@pytest.fixture
def registry(world):
    registry = world.registry()
    registry.register("prompts", "points", Point)
    registry.register("prompts", "boxes", Box)
    return registry


def test_the_tag_selects_the_model(registry):
    union = registry.union("prompts")
    assert union.validate_python({"type": "point", "x": 1}) == Point(x=1)
    box = union.validate_json('{"type": "boxes", "width": 2}')
    assert isinstance(box, Box)  # it declares no tag, so its name is one
    assert union.validate_python(Point(x=3)) == Point(x=3)
    with pytest.raises(ValidationError, match="boxes"):
        union.validate_python({"type": "circle"})


def test_the_schema_names_the_choices(registry):
    schema = registry.schema("prompts")
    assert schema["discriminator"] == {
        "propertyName": "type",
        "mapping": {"boxes": "#/$defs/Box", "point": "#/$defs/Point"},
    }
    assert schema["$defs"]["Point"]["description"] == "A click."
    assert schema["$defs"]["Box"]["properties"]["type"]["const"] == "boxes"
    assert "x-seemkit-quarantined" not in schema


def test_the_model_may_lie_within_the_component(world):
    registry = world.registry()
    registry.register("backbones", "deep", Options)
    schema = registry.schema("backbones", model_of=lambda found: found.Options, discriminator="use")
    assert schema["discriminator"]["mapping"] == {"deep": "#/$defs/Options"}


def test_what_has_no_model_or_no_schema_is_left_out_and_named(registry, caplog):
    class Opaque(BaseModel, arbitrary_types_allowed=True):
        type: Literal["opaque"] = "opaque"
        thing: Options

    registry.register("prompts", "number", 3)
    registry.register("prompts", "opaque", Opaque)
    for _ in range(2):
        schema = registry.schema("prompts")
        assert set(schema["discriminator"]["mapping"]) == {"point", "boxes"}
        assert set(schema["x-seemkit-quarantined"]) == {"local/number", "local/opaque"}
    assert len(caplog.records) == 2
    assert len(registry.faults()) == 2


def test_a_contested_tag_is_left_out_unless_a_preference_decides(registry):
    registry.register("prompts", "points", Point, distribution="other")
    schema = registry.schema("prompts")
    assert schema["x-seemkit-ambiguous"] == {"point": ["local/points", "other/points"]}
    assert set(schema["discriminator"]["mapping"]) == {"boxes"}
    decided = registry.schema("prompts", preferences={"prompts": {"points": "other"}})
    assert set(decided["discriminator"]["mapping"]) == {"boxes", "point"}


def test_without_components_the_schema_admits_nothing_and_the_union_says_so(world):
    registry = world.registry()
    assert registry.schema("prompts")["not"] == {}
    with pytest.raises(RegistryError, match="no prompts component is usable"):
        registry.union("prompts")


def test_one_component_makes_a_union_too(world):
    registry = world.registry()
    registry.register("prompts", "points", Point)
    assert registry.union("prompts").validate_python({"type": "point", "x": 1}) == Point(x=1)
    with pytest.raises(ValidationError):
        registry.union("prompts").validate_python({"type": "box", "x": 1})

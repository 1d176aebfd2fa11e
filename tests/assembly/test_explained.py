"""An assembly that is written out in full, with comments, loads into an equal one."""

from typing import Any, Literal

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from seemkit.assembly import Assembly, assembly_names, load_assembly
from seemkit.assembly.document import read_text, write_text, write_value
from seemkit.assembly.explained import explain
from seemkit.host import registry as host_registry

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
TRICKY = st.sampled_from(
    ["yes", "0x1f", "1:30", "~", "null", "- a", "a: b", "a #b", "{", "*x", "'", "\N{NO-BREAK SPACE}"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False) | TEXTS | TRICKY,
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner),
    max_leaves=20,
)  # fmt: skip


@given(VALUES, st.sampled_from([0, 2]))
def test_a_value_after_a_key_is_read_as_it_was_written(value: Any, indent: int) -> None:
    text = f"{' ' * indent}key: {write_value(value, indent)}\n"
    outer = f"outer:\n{text}" if indent else text
    found = read_text(outer, "test")[0]
    assert (found["outer"] if indent else found) == {"key": value}


class Inner(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    warm: float = 0.5
    names: tuple[str, ...] = ()


class Rich:
    """A backbone with options of every shape."""

    class Options(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")

        text: str = Field(description="a text: with # and 'quotes'\nand two lines")
        number: float = 1e-4
        flag: bool = False
        choice: Literal["a", "no"] = "no"
        several: tuple[int, ...] = (1, 2)
        maybe: str | None = None
        table: dict[str, float] = Field(default_factory=dict)
        inner: Inner = Field(default_factory=Inner)


OPTIONS = st.fixed_dictionaries(
    {"text": TEXTS | TRICKY},
    optional={
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "flag": st.booleans(),
        "choice": st.sampled_from(["a", "no"]),
        "several": st.lists(st.integers(-(10**17), 10**17), max_size=40),
        "maybe": st.none() | TEXTS | TRICKY,
        "table": st.dictionaries(
            st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.floats(-10, 10), max_size=3
        ),
        "inner": st.fixed_dictionaries(
            {}, optional={"warm": st.floats(0, 1), "names": st.lists(TEXTS, max_size=3)}
        ),
    },
)
REST = st.fixed_dictionaries(
    {},
    optional={
        "summary": TEXTS,
        "prompts": st.sampled_from(["all", ["points"], ["points", "boxes"]]),
        "vocabulary": st.none() | st.lists(TEXTS | TRICKY, max_size=40),
        "preprocess": st.fixed_dictionaries({"short": st.none() | st.integers(1, 1000)}),
        "weights": st.none() | st.just({"file": "a/b.safetensors", "license": "see: there #1"}),
        "prefer": st.just({"prompts": {"points": "seemkit"}}),
        "thresholds": st.fixed_dictionaries({"score": st.floats(0, 1)}),
        "runtime": st.fixed_dictionaries({"threads": st.none() | st.integers(1, 8)}),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(options=OPTIONS, rest=REST)
def test_what_is_written_loads_into_an_equal_assembly(
    options: dict[str, Any], rest: dict[str, Any], nano: dict[str, Any], registry: Any, write: Any
) -> None:
    registry.register("backbones", "rich", Rich, distribution="seemkit")
    first = write("first.yaml", write_text({**nano, **rest, "backbone": {"use": "rich", **options}}))
    assembly = load_assembly(first, registry=registry)
    text = explain(assembly, registry)
    again = load_assembly(write("again.yaml", text), registry=registry)
    assert again == assembly
    assert again.fingerprint() == assembly.fingerprint()
    assert yaml.safe_load(text)["backbone"].keys() == {"use", *Rich.Options.model_fields}


@pytest.mark.parametrize("name", assembly_names())
def test_every_shipped_assembly_is_explained_in_full(name: str, write: Any) -> None:
    registry = host_registry()
    assembly = load_assembly(name)
    text = explain(assembly, registry)
    again = load_assembly(write(f"{name}.yaml", text))
    for field in Assembly.model_fields:
        assert getattr(again, field) == getattr(assembly, field), field
    for kind, slot in (("pixel_decoders", assembly.pixel_decoder), ("mask_decoders", assembly.mask_decoder)):
        model: Any = getattr(registry.get(kind, slot.component), "Options", None)
        for option, field in model.model_fields.items():
            default = "null" if field.default is None else field.default
            if isinstance(default, bool):
                default = str(default).lower()
            if isinstance(default, BaseModel):
                assert f"  # {field.description}\n  {option}:\n    # " in text
                continue
            assert f"  # {field.description} (default: {default})\n  {option}: " in text
    assert max(map(len, text.splitlines())) <= 200


def test_an_option_that_is_no_plain_data_is_left_at_its_default(
    nano: dict[str, Any], registry: Any, write: Any
) -> None:
    class Odd:
        """A backbone whose default cannot be written."""

        class Options(BaseModel, arbitrary_types_allowed=True):
            depth: int = 1
            thing: Any = Field(default_factory=object, description="a thing")

    registry.register("backbones", "odd", Odd, distribution="seemkit")
    nano["backbone"] = {"use": "odd", "depth": 3}
    text = explain(load_assembly(nano, registry=registry), registry)
    assert "  # thing: a thing\n" in text
    assert load_assembly(write("again.yaml", text), registry=registry).backbone.options() == {"depth": 3}

"""A right configuration becomes an assembly; overrides and extends change it as they say."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seemkit.assembly import assembly_names, load_assembly, shipped
from seemkit.assembly.document import read_text, write_text
from seemkit_registry import RegistryError, UnknownComponent
from seemkit_registry.errors import ConfigurationError


def test_a_right_configuration_is_resolved_to_components_and_settings(nano, registry, write):
    path = write("nano.yaml", nano)
    assembly = load_assembly(path, registry=registry)
    assert assembly.name == "nano"
    assert assembly.backbone.use == "timm"
    assert assembly.backbone.component == "seemkit/timm"
    assert assembly.backbone.settings.model == "tf_efficientnet_lite0"
    assert assembly.backbone.settings.width == 64
    assert assembly.backbone.options() == {"model": "tf_efficientnet_lite0"}
    assert assembly.text_encoder.options() == {}
    assert assembly.prompts == ("points", "boxes")
    assert assembly.preprocess.mean == (1.0, 2.0, 3.5)
    assert assembly.preprocess.long == 512
    assert assembly.vocabulary == ("dog", "cat", "no", "12:30", "null")
    assert assembly.weights_path() == path.parent / "nano.safetensors"
    assert load_assembly(str(path), registry=registry) == assembly


def test_an_assembly_is_frozen(nano, registry):
    assembly = load_assembly(nano, registry=registry)
    with pytest.raises(ValidationError):
        assembly.name = "other"
    with pytest.raises(ValidationError):
        assembly.preprocess.short = 3


def test_what_may_be_left_out(registry):
    short = {"backbone": "timm", "pixel_decoder": "fpn", "mask_decoder": "seem", "text_encoder": "static"}
    assembly = load_assembly(short, registry=registry)
    assert assembly.answer_policy.use == "fused"
    assert assembly.prompts == "all"
    assert assembly.weights is None
    assert assembly.weights_path() is None
    assert [c.name for c in assembly.prompt_components(registry)] == ["boxes", "points"]


def test_the_yaml_of_an_assembly_loads_into_an_equal_one(nano, registry, write):
    assembly = load_assembly(write("nano.yaml", nano), registry=registry)
    again = load_assembly(write("again.yaml", assembly.to_yaml()), registry=registry)
    assert again == assembly
    assert load_assembly(assembly, registry=registry) == assembly


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
    | st.sampled_from(["yes", "0x1f", "1_000", "1:30", "2020-01-01", "1e5", ".5", "~",
                        "<<", "=", "", "- a", "a: b"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), PLAIN, max_size=4))
def test_plain_data_is_read_as_it_was_written(data):
    if data:
        assert read_text(write_text(data), "test")[0] == data


@pytest.mark.parametrize(
    ("overrides", "slot", "options"),
    [
        ({"backbone.model": "convnext_tiny"}, "timm", {"model": "convnext_tiny"}),
        ({"backbone.width": "3", "backbone.pretrained": "true"}, "timm", {"width": 3, "pretrained": True}),
        ({"backbone.width": 3}, "timm", {"width": 3}),
        ({"backbone": "focal"}, "focal", {}),
        ({"backbone.use": "focal", "backbone.depth": "4"}, "focal", {"depth": 4}),
        ({"backbone": "focal", "backbone.depth": "4"}, "focal", {"depth": 4}),
        ({"backbone": "{use: focal, depth: 5}"}, "focal", {"depth": 5}),
        ({"backbone.schedule.warm": "0.5"}, "timm", {"schedule": {"warm": 0.5}}),
    ],
)
def test_overrides_of_a_slot(nano, registry, overrides, slot, options):
    backbone = load_assembly(nano, overrides, registry).backbone
    assert backbone.use == slot
    found = backbone.options()
    assert {key: found[key] for key in options} == options
    assert ("model" in found) == (slot == "timm")


def test_overrides_of_the_rest(nano, registry):
    overrides = {"preprocess.short": "null", "prompts": "[points]", "weights": "null", "runtime.threads": "2"}
    assembly = load_assembly(nano, overrides, registry)
    assert assembly.preprocess.short is None
    assert assembly.preprocess.long == 512
    assert assembly.prompts == ("points",)
    assert assembly.weights is None
    assert assembly.runtime.threads == 2
    assert nano["preprocess"]["short"] == 320


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("backbone..model", "x", "it cannot be overridden"),
        ("extends", "nano", "it cannot be overridden"),
        ("preprocess.mean.0", "1", "preprocess.mean is a list; override it as a whole"),
        ("backbone.model", "!!python/name:os.system", "tags are not allowed"),
        ("backbone.model", "*x", "aliases"),
        ("backbone.model", "[a", "not YAML"),
        ("bakbone.model", "x", "there is no field 'bakbone'; did you mean 'backbone'?"),
        ("backbone.modle", "x", "'timm' has no option 'modle'; did you mean 'model'?"),
    ],
)
def test_an_override_that_leads_nowhere_is_refused(nano, registry, path, value, says):
    with pytest.raises(ConfigurationError) as caught:
        load_assembly(nano, {path: value}, registry)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "overrides", [["preprocess.long=320"], "preprocess.long=320", {320: "preprocess.long"}]
)
def test_overrides_that_are_no_paths_with_values_are_refused(nano, registry, overrides):
    with pytest.raises(ConfigurationError) as caught:
        load_assembly(nano, overrides, registry)
    assert str(overrides) in str(caught.value)
    assert '{"backbone.model": "resnet18"}' in str(caught.value)


def test_extending_changes_field_by_field(nano, registry, write):
    write("bases/nano.yaml", nano)
    child = {"seemkit": 1, "extends": "bases/nano.yaml", "backbone": {"width": 5}, "prompts": ["boxes"]}
    assembly = load_assembly(write("mine.yaml", {**child, "preprocess": {"long": None}}), registry=registry)
    assert assembly.name == "mine"
    assert assembly.summary == ""
    assert assembly.backbone.options() == {"model": "tf_efficientnet_lite0", "width": 5}
    assert assembly.prompts == ("boxes",)
    assert (assembly.preprocess.short, assembly.preprocess.long) == (320, None)
    # The weights lie beside the file that names them.
    assert assembly.weights_path().parent.name == "bases"


def test_another_component_in_a_slot_does_not_inherit_the_options(nano, registry, write):
    write("nano.yaml", nano)
    assembly = load_assembly(
        write("mine.yaml", "seemkit: 1\nextends: nano.yaml\nbackbone: focal\n"), registry=registry
    )
    assert assembly.backbone.options() == {}
    assembly = load_assembly(
        write("same.yaml", "seemkit: 1\nextends: nano.yaml\nbackbone: timm\n"), registry=registry
    )
    assert assembly.backbone.options() == {"model": "tf_efficientnet_lite0"}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a": "a.yaml"}, "it extends itself"),
        ({"a": "b.yaml", "b": "c.yaml", "c": "b.yaml"}, "it extends itself"),
        ({"abcdefghijk"[i]: f"{'abcdefghijkl'[i + 1]}.yaml" for i in range(11)}, "a chain of more than 8"),
        ({"a": "missing.yaml"}, "there is no file"),
        ({"a": "no-such-assembly"}, "no assembly is named 'no-such-assembly'"),
        ({"a": ["b.yaml"]}, "expected the name of an assembly or a YAML file"),
    ],
)
def test_what_cannot_be_extended_is_refused(registry, write, files, says):
    for name, base in files.items():
        write(f"{name}.yaml", {"seemkit": 1, "extends": base})
    write("l.yaml", {"seemkit": 1})
    with pytest.raises(ConfigurationError, match=says) as caught:
        load_assembly(write("a.yaml", {"seemkit": 1, "extends": files["a"]}), registry=registry)
    assert caught.value.problems[0].path == "extends"


def test_bundled_assemblies_are_found_by_name(nano, registry, write, tmp_path, monkeypatch):
    write("assemblies/nano.yaml", nano)
    monkeypatch.setattr(shipped.resources, "files", lambda package: tmp_path)
    assert assembly_names() == ["nano"]
    assert load_assembly("nano", registry=registry).backbone.use == "timm"
    child = load_assembly({"extends": "nano", "backbone": "focal"}, registry=registry)
    assert child.backbone.use == "focal"
    assert child.weights_path() == tmp_path / "assemblies/nano.safetensors"
    # A file may extend the bundled assembly of its own name.
    assert (
        load_assembly(write("nano.yaml", {"seemkit": 1, "extends": "nano"}), registry=registry).name == "nano"
    )
    with pytest.raises(UnknownComponent, match="no assembly is named 'nanno'; did you mean 'nano'") as caught:
        load_assembly("nanno", registry=registry)
    assert caught.value.suggestion == "nano"


@pytest.mark.parametrize("source", ["missing.yaml", "sub/nano", Path("notes.txt"), Path("nano")])
def test_what_is_no_assembly_file_is_refused(registry, source):
    with pytest.raises(RegistryError) as caught:
        load_assembly(source, registry=registry)
    assert "\n" not in str(caught.value)


def test_the_fingerprint_is_that_of_the_architecture(nano, registry):
    first = load_assembly(nano, registry=registry).fingerprint()
    assert len(first) == 64
    for same in (
        {"name": "other"},
        {"preprocess.short": "512"},
        {"weights": "null"},
        {"backbone.width": "64"},  # the default
        {"backbone.use": "seemkit/timm", "backbone.model": "tf_efficientnet_lite0"},
        {"answer_policy": "priority"},
    ):
        assert load_assembly(nano, same, registry).fingerprint() == first, same
    for other in ({"backbone.width": "65"}, {"mask_decoder.preset": "seem_v1"}, {"pixel_decoder.dim": "97"}):
        assert load_assembly(nano, other, registry).fingerprint() != first, other


def test_importing_assemblies_loads_no_torch():
    program = "import sys, seemkit.assembly; seemkit.assembly.assembly_names(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "False"

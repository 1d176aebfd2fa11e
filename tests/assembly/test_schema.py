"""The JSON schema of assemblies and of prompts: what it takes, what it refuses, and that the shipped one is current."""

import copy
import json
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import seemkit.assembly
from seemkit.assembly import assembly_names, load_assembly
from seemkit.assembly.schema import assembly_schema, options_schema
from seemkit.host import registry
from seemkit.prompting.read import prompt_types
from seemkit_registry.errors import ConfigurationError

FOLDER = Path(seemkit.assembly.__file__).parents[1] / "assemblies"
SHIPPED = json.loads((FOLDER / "assembly.schema.json").read_text())


@pytest.fixture(scope="session")
def takes() -> Callable[[object], bool]:
    """Whether the shipped schema takes a configuration."""
    Draft202012Validator.check_schema(SHIPPED)
    return Draft202012Validator(SHIPPED).is_valid


def shipped(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return data


def test_the_shipped_schema_is_current() -> None:
    made = assembly_schema(registry(), registry().host)
    assert made == SHIPPED, (
        "run: seemkit schema assembly --built-in -o seemkit/assemblies/assembly.schema.json"
    )


@pytest.mark.parametrize("name", assembly_names())
def test_every_shipped_assembly_is_taken_and_names_the_schema_for_editors(
    name: str, takes: Callable[[object], bool]
) -> None:
    assert takes(shipped(name))
    first = (FOLDER / f"{name}.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=assembly.schema.json"
    assert (FOLDER / first.partition("$schema=")[2]).is_file()


RIGHT: dict[str, dict[str, Any]] = {
    "components by name": {"pixel_decoder": "fpn", "text_encoder": "static"},
    "qualified": {"pixel_decoder": {"use": "seemkit/fpn", "dim": 64}},
    "another component": {"backbone": {"use": "focal", "depths": [1, 1, 1, 1]}},
    "names of prompts": {"prompts": ["points", "seemkit/boxes"]},
    "no weights": {"weights": None},
    "numbers that are whole": {"preprocess": {"mean": [1, 2.5, 3], "fixed": [320, 320]}},
    "options over a base": {"extends": "nano", "mask_decoder": {"layers": 3}},
    "a component over a base": {"extends": "nano", "backbone": {"use": "timm", "pretrained": True}},
    "the name of a component over a base": {"extends": "nano", "backbone": "timm"},
    "fields taken away over a base": {"extends": "nano", "vocabulary": None, "thresholds": None},
    "a part of a section over a base": {"extends": "nano", "weights": {"license": "MIT"}},
}


@pytest.mark.parametrize("change", RIGHT.values(), ids=RIGHT.keys())
def test_other_ways_to_write_it_are_taken(change: dict[str, Any], takes: Callable[[object], bool]) -> None:
    base = {"seemkit": 1} if "extends" in change else shipped("nano")
    assert takes({**base, **change})
    loaded = {key: value for key, value in {**base, **change}.items() if value is not None}
    if "weights" not in change and change.get("backbone") != "timm":
        load_assembly(loaded)


GONE = object()
MUTATIONS: list[tuple[str, Any]] = [
    ("seemkit", GONE),
    ("seemkit", 2),
    ("seemkit", "1"),
    ("backbone", GONE),
    ("pixel_decoder", GONE),
    ("mask_decoder", GONE),
    ("text_encoder", GONE),
    ("backbone", "timm"),  # its option `model` has no default
    ("backbone", 3),
    ("backbone.use", GONE),
    ("backbone.use", "tim"),
    ("backbone.use", "os.system"),
    ("backbone.model", 7),
    ("backbone.modle", "resnet18"),
    ("pixel_decoder.use", "seem"),
    ("pixel_decoder.dim", 0),
    ("pixel_decoder.dim", "wide"),
    ("pixel_decoder.dim", 96.5),
    ("mask_decoder.preset", "seem_v2"),
    ("mask_decoder.layers", [6]),
    ("mask_decoder.layer", 6),
    ("answer_policy.use", "fussed"),
    ("name", "two words"),
    ("summary", "x" * 501),
    ("prompts", "points"),
    ("prompts", ["pionts"]),
    ("preprocess.shrot", 320),
    ("preprocess.long", 0),
    ("preprocess.mean", [127, 127]),
    ("preprocess.resample", "nearest"),
    ("weights.file", "/etc/nano.safetensors"),
    ("weights.file", "nano.pt"),
    ("weights.sha256", "12"),
    ("weights.url", "https://h"),
    ("prefer.promts", {}),
    ("thresholds.score", 1.5),
    ("vocabulary", [""]),
    ("vocabulary", "cat"),
    ("runtime", {"device": "tpu"}),
    ("plugins", ["evil.py"]),
]


@pytest.mark.parametrize(("path", "value"), MUTATIONS, ids=[f"{path}={str(v)[:20]}" for path, v in MUTATIONS])
def test_mutations_are_refused_by_the_schema_and_by_the_loader(
    path: str, value: object, takes: Callable[[object], bool]
) -> None:
    data = copy.deepcopy(shipped("nano"))
    *way, last = path.split(".")
    place = reduce(lambda inner, key: inner[key], way, data)
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    assert not takes(data)
    if (path, value) != ("seemkit", GONE):  # a file has to say it, plain data need not
        with pytest.raises(ConfigurationError):
            load_assembly(data)


@pytest.fixture(scope="session")
def prompts() -> Draft202012Validator:
    found = registry().schema("prompts")
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


@pytest.mark.parametrize(
    "name", ["point", "box", "scribble", "polygon", "mask", "text", "reference", "memory", "concept", "audio"]
)
def test_the_example_of_every_prompt_is_taken_and_without_its_type_it_is_not(
    name: str, prompts: Draft202012Validator
) -> None:
    value = prompt_types()[name].example().model_dump(mode="json")
    assert prompts.is_valid(value)
    assert not prompts.is_valid({**value, "type": f"{name}s"})
    assert not prompts.is_valid({**value, "surprise": 1})
    del value["type"]
    assert not prompts.is_valid(value)


def test_the_options_of_one_component(takes: Callable[[object], bool]) -> None:
    component = registry().resolve("pixel_decoders", "fpn")
    found = Draft202012Validator(options_schema(component, registry()))
    assert found.is_valid({"dim": 64})
    assert not found.is_valid({"dim": 0})
    assert not found.is_valid({"dmi": 64})


def test_of_a_world_with_conflicts_faults_and_models_within_models(registry: Any) -> None:
    registry.register("backbones", "timm", type("Other", (), {}), distribution="other")
    registry.register("pixel_decoders", "bad", 3)
    registry.expect("pixel_decoders", lambda found: None if isinstance(found, type) else "it is a number")
    found = assembly_schema(registry)
    Draft202012Validator.check_schema(found)
    is_valid = Draft202012Validator(found).is_valid
    whole = {"seemkit": 1, "pixel_decoder": "fpn", "mask_decoder": "seem", "text_encoder": "static"}
    assert is_valid({**whole, "backbone": "other/timm"})
    assert is_valid({**whole, "backbone": {"use": "seemkit/timm", "schedule": {"warm": 0.5}}})
    assert not is_valid({**whole, "backbone": "timm"})  # two distributions provide it
    assert not is_valid({**whole, "backbone": "focal", "pixel_decoder": "bad"})
    assert "it is a number" in found["x-seemkit-quarantined"]["local/bad"]  # type: ignore[index, operator]

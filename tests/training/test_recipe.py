"""Recipes: those that seemkit brings are right, and what is wrong with one is said at once, with the nearest right."""

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from seemkit.training.recipe import load_recipe, recipe_names
from seemkit.training.recipe.recipe import differences
from seemkit.training.recipe.schema import recipe_schema
from seemkit_registry import UnknownComponent
from seemkit_registry.errors import ConfigurationError


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_that_comes_along_is_right(name: str) -> None:
    recipe = load_recipe(name, data="photos")
    assert recipe.name == name
    assert recipe.summary
    again = load_recipe({k: v for k, v in recipe.as_dict().items() if k != "data"})
    assert again.objective == recipe.objective


def test_paths_of_sources_start_from_the_data_folder() -> None:
    data: Any = {"sources": [{"use": "folder", "path": "mine", "share": 3}, "tar-pairs"]}
    recipe = load_recipe({"data": data}, data="/photos")
    folder, tars = recipe.sources
    assert folder.slot.settings.path == Path("/photos/mine")  # type: ignore[attr-defined]
    assert (folder.share, tars.share) == (3, 1)
    assert tars.slot.settings.path == Path("/photos")  # type: ignore[attr-defined]


def test_a_recipe_extends_another_and_is_overridden(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "seemkit: 1\nextends: fine-tune\nrun: {steps: 7}\ndata: {sources: [{use: folder, path: here}]}\n"
    )
    recipe = load_recipe(path, {"optimiser.rate": "0.5", "objective.clicks.negative": "false"})
    base = load_recipe("fine-tune")
    assert recipe.name == "mine"
    assert (recipe.run.steps, recipe.optimiser.rate, recipe.objective.clicks.negative) == (7, 0.5, False)
    assert recipe.run.batch == base.run.batch
    assert recipe.sources[0].slot.settings.path == tmp_path / "here"  # type: ignore[attr-defined]


NO_SHARE = dict.fromkeys(("prompt", "reference", "text", "mixed"), 0)
WRONG: list[tuple[str, Any, str]] = [
    ("objectiv", {}, "there is no field 'objectiv'; did you mean 'objective'?"),
    ("objective.clicks.round", 1, "there is no field 'round'; did you mean 'rounds'?"),
    ("data.on_error", "raise", "got 'raise', expected 'report' or 'stop'"),
    ("run.steps", 0, "got 0, expected greater than or equal to 1"),
    ("run.steps", "many", "got 'many'"),
    ("objective.queries.policy", "own", "got 'own', expected 'per_owner', 'sampled' or 'shared'"),
    ("objective.shares", NO_SHARE, "all shares are 0, expected one above 0"),
    ("data.augment.zoom", [2, 1], "zoom is from 2 to 1, expected two numbers in order"),
    ("data.sources", [{"use": "fold"}], "did you mean 'folder'?"),
    (
        "data.sources",
        [{"use": "folder", "path": "x", "mask": "y"}],
        "has no option 'mask'; did you mean 'masks'?",
    ),
    ("data.sources", [{"use": "folder", "path": "x", "share": 0}], "got 0, expected greater than 0"),
]


@pytest.mark.parametrize(("path", "value", "said"), WRONG)
def test_what_is_wrong_is_said_in_a_sentence(path: str, value: Any, said: str) -> None:
    data: dict[str, Any] = {}
    inner = data
    *above, last = path.split(".")
    for part in above:
        inner = inner.setdefault(part, {})
    inner[last] = value
    with pytest.raises(ConfigurationError) as caught:
        load_recipe(data)
    sentence = str(caught.value)
    assert sentence.startswith(f"recipe: {path}")
    assert said in sentence
    assert "\n" not in sentence


def test_everything_is_said_at_once_with_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("seemkit: 1\nrun:\n  steps: 0\n  sed: 1\nmodel: {assembley: nano}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_recipe(path)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("has 3 problems:")
    assert ["(line 3)" in lines[1], "(line 4)" in lines[2], "(line 5)" in lines[3]] == [True] * 3


def test_unknown_recipes_and_wrong_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownComponent, match="no recipe is named 'fine-tun'; did you mean 'fine-tune'"):
        load_recipe("fine-tun")
    with pytest.raises(ConfigurationError, match="there is no such file"):
        load_recipe(tmp_path / "away.yaml")
    with pytest.raises(ConfigurationError, match=r"expected a file that ends in \.yaml"):
        load_recipe(tmp_path / "x.json")
    path = tmp_path / "old.yaml"
    path.write_text("run: {steps: 3}\n")
    with pytest.raises(ConfigurationError, match="the version of the form is missing; write 'seemkit: 1'"):
        load_recipe(path)


def test_what_only_changes_how_a_run_is_watched_is_no_difference() -> None:
    one = load_recipe("fine-tune").as_dict()
    for path in ("run.minutes", "run.log", "run.workers", "run.pictures", "run.accumulate", "name"):
        value = "other" if path == "name" else 3
        assert differences(one, load_recipe("fine-tune", {path: value}).as_dict()) == []
    changed = load_recipe(
        "fine-tune", {"run.seed": 5, "optimiser.rate": 0.5, "run.precision": "bf16"}
    ).as_dict()
    assert differences(one, changed) == ["optimiser.rate", "run.seed", "run.precision"]


def test_ablations_of_the_seed_are_switches() -> None:
    recipe = load_recipe(
        "fine-tune",
        {
            "objective.clicks.rounds": "0",
            "objective.clicks.negative": "false",
            "objective.memory": "false",
            "objective.queries.policy": "sampled",
        },
    )
    assert recipe.objective.clicks.rounds == 0
    assert not recipe.objective.clicks.negative
    assert not recipe.objective.memory
    assert recipe.objective.queries.policy == "sampled"


@pytest.mark.parametrize("name", recipe_names())
def test_the_schema_accepts_what_comes_along_and_refuses_what_is_wrong(name: str) -> None:
    schema = recipe_schema()
    jsonschema.Draft202012Validator.check_schema(schema)  # type: ignore[no-untyped-call]
    plain = load_recipe(name).as_dict()
    jsonschema.validate(plain, schema)
    for path, value, _ in WRONG[1:6]:
        wrong: Any = copy.deepcopy(plain)
        *above, last = path.split(".")
        inner = wrong
        for part in above:
            inner = inner[part]
        inner[last] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_every_field_says_what_it_means() -> None:
    for name, section in recipe_schema()["$defs"].items():  # type: ignore[union-attr]
        for field, about in section.get("properties", {}).items():  # type: ignore[call-overload,union-attr,index]
            assert about.get("description"), f"{name}.{field}"  # type: ignore[union-attr]

"""Evaluations as YAML: what ships loads, overrides, and one sentence for everything that is wrong."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from seemkit.evaluation.config import evaluation_names, load_evaluation, read_evaluation
from seemkit.evaluation.measures.table import MEASURES
from seemkit.evaluation.schema import evaluation_schema
from seemkit_registry import UnknownComponent
from seemkit_registry.errors import ConfigurationError

MINE: dict[str, Any] = {
    "datasets": {"mine": {"use": "folder", "path": "photos"}},
    "measures": {"clicks": {"rounds": 5}},
}


def problems(data: dict[str, Any], overrides: dict[str, Any] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_evaluation(data, overrides)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", evaluation_names())
def test_every_evaluation_that_ships_loads(name: str) -> None:
    config = load_evaluation(name, {"data": "data"})
    assert config.name == name
    assert config.summary
    for source in config.datasets.values():
        assert str(getattr(source.slot.settings, "path")).startswith("data")  # noqa: B009


def test_shipped_evaluations_use_every_measure_of_the_table() -> None:
    used = {type(m) for n in evaluation_names() for m in load_evaluation(n, {"data": "d"}).measures.values()}
    assert used == set(MEASURES.values())


def test_the_schema_takes_what_ships_and_refuses_what_is_refused() -> None:
    schema = evaluation_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for name in evaluation_names():
        jsonschema.validate(read_evaluation(name).data | {"seemkit": 1}, schema)
    mine = {"seemkit": 1, **MINE}
    jsonschema.validate({**mine, "measures": {"a": {"use": "clicks", "rounds": 3}, "prompts": None}}, schema)
    for wrong in (
        {**mine, "sed": 1},
        {**mine, "measures": {"a": {"rounds": 3}}},
        {**mine, "measures": {"clicks": {"round": 3}}},
        {**mine, "measures": {}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_defaults_and_names() -> None:
    config = load_evaluation(MINE)
    assert (config.assembly, config.weights, config.seed, config.on_fault) == ("nano", "default", 0, "report")
    assert config.measures["clicks"].rounds == 5


def test_an_entry_may_be_called_otherwise_than_its_measure() -> None:
    config = load_evaluation({**MINE, "measures": {"unsteady": {"use": "clicks", "jitter": 0.5}}})
    assert type(config.measures["unsteady"]).__name__ == "Clicks"


def test_overrides_go_by_dotted_path_and_are_read_as_yaml() -> None:
    config = load_evaluation(MINE, {"measures.clicks.first": "[box, point]", "seed": "7", "limit": "3"})
    assert config.measures["clicks"].first == ("box", "point")
    assert (config.seed, config.limit) == (7, 3)


def test_everything_that_is_wrong_is_said_at_once_with_the_nearest() -> None:
    said = problems(
        {
            "sed": 1,
            "seed": -1,
            "datasets": {
                "a": {"use": "foldr", "path": "x"},
                "b": {"use": "folder", "path": "x", "mask": "y"},
            },
            "measures": {"click": {}, "clicks": {"round": 3}, "prompts": {"combinations": [["boxx"]]}},
        }
    )
    text = "\n".join(said)
    assert len(said) == 7
    assert "sed: there is no field 'sed'; did you mean 'seed'?" in text
    assert "seed: got -1" in text
    assert "did you mean 'folder'?" in text
    assert "datasets.b.mask: 'folder' has no option 'mask'; did you mean 'masks'?" in text
    assert "measures.click: there is no measure 'click'" in text
    assert "measures.clicks.round: 'clicks' has no option 'round'; did you mean 'rounds'?" in text
    assert "did you mean 'box'?" in text


def test_the_folder_of_the_data_is_needed_where_a_path_lies_below_it() -> None:
    (said,) = problems({**MINE, "datasets": {"mine": {"use": "folder", "path": "{data}/x"}}})
    assert "--data DIR" in said
    config = load_evaluation({**MINE, "data": "/d", "datasets": {"m": {"use": "folder", "path": "{data}/x"}}})
    assert str(getattr(config.datasets["m"].slot.settings, "path")) == "/d/x"  # noqa: B009


@pytest.mark.parametrize("part", ["datasets", "measures"])
@pytest.mark.parametrize("given", [None, {}, [], "clicks"])
def test_a_part_without_entries_is_refused(part: str, given: Any) -> None:
    (said,) = problems({**MINE, part: given})
    assert said.startswith(part)
    assert "such as" in said


def test_hundredths_are_two_numbers() -> None:
    source = {"use": "folder", "path": "x", "hundredths": [0, 15]}
    assert load_evaluation({**MINE, "datasets": {"m": source}}).datasets["m"].hundredths == (0, 15)
    (said,) = problems({**MINE, "datasets": {"m": {**source, "hundredths": [15, 0]}}})
    assert "expected two numbers from 0 to 100" in said


def test_an_evaluation_that_there_is_not_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownComponent, match="did you mean 'grabcut'"):
        load_evaluation("grabcuts")
    with pytest.raises(ConfigurationError, match="there is no such file"):
        load_evaluation(tmp_path / "none.yaml")


def test_a_file_says_its_version_and_problems_their_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("datasets:\n  a: {use: folder, path: x}\nmeasures:\n  clicks: {rounds: 0}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_evaluation(file)
    said = [str(problem) for problem in caught.value.problems]
    assert any("write 'seemkit: 1'" in each for each in said)
    assert any(each.startswith("measures.clicks.rounds (line 4)") for each in said)

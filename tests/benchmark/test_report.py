"""The report as JSON: what a reader finds in it, and that it comes back as it went."""

import json

import jsonschema
import pytest
from pydantic import ValidationError

from seemkit.benchmark.report import FORMAT, Ratio, Report


def test_a_report_survives_json(report) -> None:
    written = report()
    assert Report.model_validate_json(written.model_dump_json()) == written


def test_the_json_is_that_of_its_schema(report) -> None:
    data = json.loads(report().model_dump_json())
    jsonschema.validate(data, Report.model_json_schema())
    assert data["format"] == FORMAT
    assert data["machine"]["commit"] == "c0ffee"
    (case,) = data["cases"]
    assert [path["name"] for path in case["paths"]] == ["seemkit", "reference"]
    assert case["paths"][0]["seconds"] == [1, 2, 9]


def test_a_ratio_is_the_median_of_the_runs_and_says_whether_the_aim_is_met(report) -> None:
    (case,) = report().cases
    assert case.ratios[0] == Ratio(of="seemkit", to="reference", value=0.2, target=0.25)
    assert case.ratios[0].met is True
    assert report(fast=(3, 3, 3)).cases[0].ratios[0].met is False
    assert case.ratios[1].met is None
    assert case.path("seemkit").median == 2


def test_another_format_and_numbers_that_are_none_are_refused(report) -> None:
    data = json.loads(report().model_dump_json())
    with pytest.raises(ValidationError):
        Report.model_validate({**data, "format": FORMAT + 1})
    with pytest.raises(ValidationError):
        Ratio(of="a", to="b", value=float("nan"))

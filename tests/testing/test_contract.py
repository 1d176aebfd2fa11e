"""Contracts: what a check says, what a report holds, and that both ways of running agree."""

import json
import subprocess
import sys

import pytest

import seemkit
from seemkit.api import VERSION
from seemkit.errors import SeemkitError
from seemkit.prompts import Point
from seemkit.testing import (
    AnswerPolicyContract,
    BackboneContract,
    Contract,
    DatasetContract,
    ExporterContract,
    HooksContract,
    PromptContract,
    Report,
    TextEncoderContract,
    Violation,
    check_backbone,
    check_prompt,
)
from seemkit.testing.contract import check
from seemkit.testing.violation import demand, fail, skip
from seemkit_backbones.timm import Timm

CONTRACTS = [
    PromptContract,
    BackboneContract,
    TextEncoderContract,
    AnswerPolicyContract,
    HooksContract,
    ExporterContract,
    DatasetContract,
]
FEWEST = {
    "prompts": 40,
    "backbones": 24,
    "text_encoders": 24,
    "answer_policies": 13,
    "hooks": 6,
    "exporters": 15,
    "datasets": 14,
}


class Cup(Contract):
    """A contract of three checks."""

    kind = "cups"

    @classmethod
    def subject(cls) -> str:
        return "mug"

    @classmethod
    def component(cls) -> object:
        return cls

    @check("A cup holds water", why="Tea.", mend="close the bottom")
    def test_it_holds_water(self) -> None:
        fail("leaked")

    @check("A cup has a handle", why="Tea is hot.", mend="add one")
    def test_it_has_a_handle(self) -> None:
        demand(True, "has none")

    @check("A lid fits", why="Cold.", mend="measure")
    def test_a_lid_fits(self) -> None:
        skip("there is no lid")

    @check("A cup can be filled", why="Tea.", mend="open the top")
    def test_it_can_be_filled(self) -> None:
        raise KeyError("two\nlines")


def test_a_failure_is_one_sentence_of_contract_observation_and_remedy() -> None:
    with pytest.raises(Violation) as caught:
        Cup().test_it_holds_water()
    assert str(caught.value) == "A cup holds water, but mug leaked; close the bottom."
    told = caught.value
    assert (told.check, told.subject, told.mend) == ("test_it_holds_water", "mug", "close the bottom")


def test_whatever_a_plugin_raises_becomes_such_a_sentence() -> None:
    with pytest.raises(Violation) as caught:
        Cup().test_it_can_be_filled()
    assert str(caught.value) == "A cup can be filled, but mug raised KeyError: 'two\\nlines'; open the top."
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_report_counts_and_tells() -> None:
    report = Cup.report()
    states = [outcome.state for outcome in report.outcomes]
    assert states == ["failed", "passed", "skipped", "failed"]
    assert report.summary == "4 checks, 1 passed, 2 failed, 1 skipped"
    assert not report.ok
    assert str(report).splitlines()[0] == "cups local/mug: 4 checks, 1 passed, 2 failed, 1 skipped"
    assert "  skipped  test_a_lid_fits: there is no lid" in str(report)
    assert Cup.report(["test_it_has_a_handle"]).ok


def test_a_report_without_a_check_is_not_ok() -> None:
    assert not Cup.report([]).ok
    assert not Cup.report(["test_a_lid_fits"]).ok


def test_a_name_that_is_no_check_is_told() -> None:
    with pytest.raises(
        ValueError, match="'test_it_has_a_handel' is no check of Cup; did you mean 'test_it_has_a_handle'"
    ):
        Cup.report(["test_it_has_a_handel"])


def test_a_class_that_names_no_plugin_is_told_so() -> None:
    nameless = type("TestNothing", (PromptContract,), {})
    with pytest.raises(SeemkitError, match="TestNothing does not say what to check: write prompt = "):
        nameless().test_it_is_frozen()


@pytest.mark.parametrize("wrong", ["point", 3, PromptContract, Point(x=1, y=2)])
def test_what_is_no_prompt_type_is_told_so(wrong: object) -> None:
    with pytest.raises(SeemkitError, match=r"cannot be checked: it is .*, not a subclass of SpatialPrompt"):
        check_prompt(wrong)  # type: ignore[arg-type]


def test_options_that_are_refused_fail_one_check() -> None:
    report = check_backbone(Timm, {"model": "resnett18"})
    (failed,) = report.failed
    assert failed.name == "test_its_options_are_frozen_and_strict"
    assert "did you mean 'resnet18'" in failed.reason
    assert len(report.skipped) == len(report.outcomes) - 1


def test_the_json_says_what_was_checked_with_what() -> None:
    report = check_prompt(Point, only=["test_it_is_frozen", "test_the_canvas_tool_is_known"])
    data = json.loads(report.to_json())
    checks = data.pop("checks")
    assert data.pop("torch")
    assert data.pop("python").startswith("3.")
    assert data == {
        "format": 1, "kind": "prompts", "name": "points", "distribution": "seemkit", "version": seemkit.__version__,
        "seemkit": seemkit.__version__, "api": VERSION, "ok": True, "passed": 2, "failed": 0, "skipped": 0,
    }  # fmt: skip
    assert [sorted(each) for each in checks] == [["contract", "name", "reason", "state"]] * 2


def test_checks_of_the_other_level_are_left_out() -> None:
    from seemkit.prompts import Text

    spatial, token = (
        {c.name for c in type("C", (PromptContract,), {"prompt": p}).checks()} for p in (Point, Text)
    )
    assert "test_the_region_is_on_the_grid" in spatial - token
    assert "test_rows_and_anchors_fit_the_model" in token - spatial
    everything = {c.name for c in PromptContract.checks()}
    assert spatial | token < everything  # neither has a learned part


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_check_is_worded(contract: type[Contract]) -> None:
    checks = contract.checks()
    assert len(checks) >= FEWEST[contract.kind]
    for each in checks:
        assert each.contract[0].isupper(), each.name
        assert not each.contract.endswith("."), each.name
        assert each.why.endswith("."), each.name
        assert not each.mend.endswith("."), each.name
        assert each.mend[0].islower(), each.name
    named = {name for base in contract.__mro__ for name in vars(base) if name.startswith("test_")}
    assert {each.name for each in checks} == named  # no test method without a contract


def test_importing_the_suites_loads_no_torch() -> None:
    code = "import sys, seemkit.testing, seemkit.testing.pytest_plugin; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_report_is_a_plain_value() -> None:
    assert Cup.report(["test_it_has_a_handle"]) == Cup.report(["test_it_has_a_handle"])
    assert isinstance(Cup.report([]), Report)

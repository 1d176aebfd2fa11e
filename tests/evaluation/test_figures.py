"""Figures as JSON and as a table."""

import json
from dataclasses import replace

from seemkit.evaluation.figures import Curve, Fault, Figure, Report
from seemkit.evaluation.metrics.shares import paired

FIGURE = Figure(
    "GrabCut",
    "clicks",
    "mIoU@3",
    0.8612,
    "RITM",
    50,
    seed=4,
    interval=(0.7, 0.9),
    baseline=0.5,
    baseline_name="none",
)
ABOUT = {"command": "seemkit eval grabcut", "weights": "abc"}


def test_every_figure_in_json_says_how_and_with_what_it_was_measured() -> None:
    report = Report(ABOUT, [FIGURE], [Curve("GrabCut", "clicks", "box", "mean IoU", "RITM", (0.5, 0.6), 50)])
    found = json.loads(report.to_json())
    assert found["figures"] == [
        {"split": "GrabCut", "measure": "clicks", "name": "mIoU@3", "value": 0.8612, "protocol": "RITM",
         "count": 50, "seed": 4, "interval": [0.7, 0.9], "baseline": 0.5, "baseline_name": "none",
         "paired": None, "note": "", "run": ABOUT}
    ]  # fmt: skip
    assert found["curves"][0]["values"] == [0.5, 0.6]
    assert found["curves"][0]["run"] == ABOUT


def test_the_table_has_a_row_a_figure() -> None:
    text = Report(ABOUT, [FIGURE]).to_markdown()
    assert "command: seemkit eval grabcut  \n" in text
    assert "| GrabCut | clicks | mIoU@3 | 0.861 | 0.700 to 0.900 | 0.500 (none) | 50 | 4 | 1 |" in text
    assert "\nProtocols:\n\n1. RITM\n" in text


def test_a_protocol_is_below_the_table_once_and_its_number_in_each_row() -> None:
    clicks, noted = replace(FIGURE, name="mIoU@5"), replace(FIGURE, name="PQ", note="over 3 classes")
    text = Report({}, [FIGURE, noted, clicks]).to_markdown()
    assert [row.split(" | ")[-1] for row in text.splitlines() if row.startswith("| GrabCut")] == [
        "1 |",
        "2 |",
        "1 |",
    ]
    assert text.endswith("\nProtocols:\n\n1. RITM\n2. RITM; over 3 classes\n")
    found = json.loads(Report({}, [noted]).to_json())["figures"][0]
    assert (found["protocol"], found["note"]) == ("RITM", "over 3 classes")


def test_beside_a_baseline_it_says_how_often_they_differ() -> None:
    figure = replace(FIGURE, paired=paired([True, True, True, False], [False, True, False, True]))
    report = Report(ABOUT, [figure])
    said = "right 2 times where that is wrong, 1 the reverse, p = 1"
    assert f"| 0.500 (none; {said}) |" in report.to_markdown()
    assert json.loads(report.to_json())["figures"][0]["paired"] == {"better": 2, "worse": 1, "p": 1.0}


def test_a_number_that_is_not_there_is_null_and_a_dash() -> None:
    report = Report(
        {}, [Figure("a", "b", "c", float("nan"), "d", 0, baseline=float("nan"), baseline_name="e")]
    )
    found = json.loads(report.to_json())["figures"][0]
    assert (found["value"], found["baseline"]) == (None, None)
    assert "| a | b | c | - |  | - (e) | 0 | 0 | 1 |" in report.to_markdown()


def test_faults_are_listed_below() -> None:
    report = Report({}, [FIGURE], faults=[Fault("GrabCut", "x", "it is | broken")])
    assert "1 could not be measured:" in report.to_markdown()
    assert "| GrabCut |  | x | it is \\| broken |" in report.to_markdown()
    assert json.loads(report.to_json())["faults"][0]["cause"] == "it is | broken"


def test_what_does_not_apply_is_counted_apart_from_faults() -> None:
    faults = [
        Fault("a", "x", "it is broken"),
        Fault("a", "", "nothing to measure in 1 of 2", "clicks", applies=False),
        Fault("a", "y", "no box here", "clicks"),
    ]
    _, *parts = Report({}, [FIGURE], faults=faults).to_markdown().split("| data | measure | key | cause |")
    assert [part.count("| a |") for part in parts] == [2, 1]
    text = Report({}, [FIGURE], faults=faults).to_markdown()
    assert "\n2 could not be measured:\n" in text
    assert "\n1 not applicable:\n" in text


def test_values_are_found_by_data_measure_and_name() -> None:
    assert Report({}, [FIGURE]).values() == {("GrabCut", "clicks", "mIoU@3"): 0.8612}

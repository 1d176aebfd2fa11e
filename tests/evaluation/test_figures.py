"""Figures as JSON and as a table."""

import json

from seemkit.evaluation.figures import Figure, Report


def test_a_report_keeps_protocol_split_and_seed_beside_each_figure() -> None:
    figure = Figure("clicks", "mIoU@3", 0.8612, "RITM", "GrabCut", 50, seed=4, note="n")
    report = Report({"model": "m"}, [figure])
    assert json.loads(report.to_json())["figures"] == [
        {"suite": "clicks", "name": "mIoU@3", "value": 0.8612, "protocol": "RITM", "split": "GrabCut",
         "count": 50, "seed": 4, "note": "n"}
    ]  # fmt: skip
    assert "| clicks | mIoU@3 | 0.861 | 50 | RITM | GrabCut | 4 | n |" in report.to_markdown()
    assert report.values() == {("clicks", "mIoU@3"): 0.8612}

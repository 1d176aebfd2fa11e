"""The tables of swept models are those of the data beside them, and no model is missing."""

from importlib.metadata import version
from pathlib import Path

import pytest

from seemkit.sweep.kinds import KINDS, Kind, list_models
from seemkit.sweep.report import SweepReport

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_table_is_made_of_its_data_and_nothing_failed(kind: Kind) -> None:
    text = (DOCS / f"{kind.file}.json").read_text(encoding="utf-8")
    report = SweepReport[kind.trial].model_validate_json(text)  # type: ignore[name-defined]
    assert (DOCS / f"{kind.file}.md").read_text(encoding="utf-8") == kind.page(report)
    assert report.to_json() == text
    assert report.of("failed") == []
    for trial in report.of("refused"):
        assert trial.reason
        assert "\n" not in trial.reason


@pytest.mark.parametrize(("word", "library"), [("backbones", "timm"), ("text-encoders", "open_clip_torch")])
def test_every_model_of_the_library_is_in_the_table(word: str, library: str) -> None:
    kind = KINDS[word]
    text = (DOCS / f"{kind.file}.json").read_text(encoding="utf-8")
    report = SweepReport[kind.trial].model_validate_json(text)  # type: ignore[name-defined]
    if report.about[library] != version(library):
        pytest.skip(f"the table was made with {library} {report.about[library]}")
    assert [trial.model for trial in report.trials] == list_models(kind, kind.component)

"""The command: from the models of a component to a page, resumed where it was ended."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from seemkit.sweep.__main__ import main
from seemkit.sweep.jobs import Limits, Outcome
from seemkit.sweep.journal import Journal
from seemkit.sweep.kinds import KINDS, list_models
from seemkit.sweep.run import sweep
from seemkit.sweep.trial import BackboneTrial

KIND = KINDS["backbones"]


class Worker:
    """Answers at once, and counts what it was asked."""

    outcomes: dict[str, Outcome[BackboneTrial]]
    asked: list[str]

    def __init__(self, job: object, limits: Limits) -> None:
        pass

    def __class_getitem__(cls, kind: object) -> type["Worker"]:
        return cls

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, name: str) -> Outcome[BackboneTrial]:
        self.asked.append(name)
        return self.outcomes[name]


def composed(model: str, ran: bool = True) -> BackboneTrial:
    return BackboneTrial(model=model, state="composes", parameters=5, ran=ran)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> type[Worker]:
    monkeypatch.setattr("seemkit.sweep.run.Worker", Worker)
    Worker.asked = []
    Worker.outcomes = {
        "good": Outcome(composed("good"), "done"),
        "crash": Outcome(None, "died", "ends its process by SIGSEGV"),
        "slow": Outcome(composed("slow", ran=False), "hung", "did not come to an end within 5 s"),
        "odd": Outcome(None, "done"),
    }
    return Worker


def run(path: Path, names: list[str], **given: Any) -> dict[str, BackboneTrial]:
    journal = Journal(path, BackboneTrial, {})
    report = sweep(KIND, "timm", names, journal, largest=10, limits=Limits(), **given)
    return {trial.model: trial for trial in report.trials}


def test_what_became_of_a_job_becomes_a_trial(worker: type[Worker], tmp_path: Path) -> None:
    trials = run(tmp_path / "j", ["good", "crash", "slow", "odd"])
    assert trials["good"] == composed("good")
    assert (trials["crash"].state, trials["crash"].reason) == ("failed", "ends its process by SIGSEGV")
    assert (trials["slow"].state, trials["slow"].not_ran) == ("composes", "did not come to an end within 5 s")
    assert trials["odd"].state == "failed"


def test_a_sweep_goes_on_where_it_was_and_tries_again_only_when_asked(
    worker: type[Worker], tmp_path: Path
) -> None:
    run(tmp_path / "j", ["crash"])
    assert list(run(tmp_path / "j", ["good", "crash", "slow"])) == ["good", "crash", "slow"]
    assert worker.asked == ["crash", "good", "slow"]
    run(tmp_path / "j", ["good", "crash", "slow"], again=True)
    assert worker.asked[3:] == ["crash", "slow"]
    told: list[str] = []
    run(tmp_path / "j", ["good"], tell=lambda trial: told.append(trial.model))
    assert told == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measured on Linux")
def test_a_sweep_of_a_few_models_writes_a_page_and_its_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = ["--journal", str(tmp_path / "journal.jsonl")]
    assert main(["backbones", *journal, "--only", "test_resnet"]) == 0
    assert main(["backbones", *journal, "--only", "test_[rv][ei]*t", "--docs", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.count("test_resnet: composes; ran") == 1
    assert "2 of 2 compose, 2 ran" in said
    report = json.loads((tmp_path / "backbones.json").read_text())
    assert [trial["model"] for trial in report["trials"]] == ["test_resnet", "test_vit"]
    assert "**2 of 2 models of timm compose**" in (tmp_path / "backbones.md").read_text()


def test_a_wrong_request_ends_with_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("not a journal\n")
    assert main(["backbones", "--journal", str(tmp_path / "notes.txt"), "--only", "nothing"]) == 2
    assert "is no journal of this sweep" in capsys.readouterr().err
    assert main(["backbones", "--journal", str(tmp_path / "j"), "--component", "focal"]) == 2
    assert "'focal' has no models()" in capsys.readouterr().err


def test_every_kind_lists_its_models() -> None:
    assert "resnet18" in list_models(KINDS["backbones"], "timm")
    assert "ViT-B-32" in list_models(KINDS["text-encoders"], "open_clip")


@pytest.mark.slow
@pytest.mark.parametrize("word", KINDS)
def test_no_model_fails(word: str, tmp_path: Path) -> None:
    # an hour or more: every model of timm, and some minutes for open_clip
    assert main([word, "--journal", str(tmp_path / "journal.jsonl")]) == 0

"""A journal keeps every trial that was finished, whenever the sweep was killed, and refuses another sweep's."""

from pathlib import Path

import pytest

from seemkit.errors import SeemkitError
from seemkit.sweep.journal import Journal
from seemkit.sweep.trial import BackboneTrial

ABOUT = {"timm": "1.0", "largest": 10}
TRIAL = BackboneTrial(model="a", state="composes", channels=(1, 2, 3, 4), parameters=7, ran=True, seconds=0.5)


def test_trials_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "new" / "journal.jsonl"
    journal = Journal(path, BackboneTrial, ABOUT)
    assert journal.trials == {}
    refused = BackboneTrial(model="b", state="refused", reason="it is\na line")
    journal.add(TRIAL)
    journal.add(refused)
    assert Journal(path, BackboneTrial, ABOUT).trials == {"a": TRIAL, "b": refused}


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_line_that_was_cut_off_is_dropped_and_the_file_goes_on(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, BackboneTrial, ABOUT).add(TRIAL)
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines(keepends=True)[1][:cut])
    journal = Journal(path, BackboneTrial, ABOUT)
    assert list(journal.trials) == ["a"]
    journal.add(TRIAL.model_copy(update={"model": "c"}))
    assert list(Journal(path, BackboneTrial, ABOUT).trials) == ["a", "c"]


@pytest.mark.parametrize("whole", [b"", b'{"about": {"timm"', b"notes"])
def test_a_sweep_that_was_killed_before_its_first_trial_begins_and_a_file_of_notes_stays(
    whole: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(whole)
    if whole == b"notes":
        with pytest.raises(SeemkitError, match="is no journal of this sweep; name another file"):
            Journal(path, BackboneTrial, ABOUT)
        assert path.read_bytes() == whole
        return
    Journal(path, BackboneTrial, ABOUT).add(TRIAL)
    assert Journal(path, BackboneTrial, ABOUT).trials == {"a": TRIAL}


def test_of_two_trials_of_a_model_the_later_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, BackboneTrial, ABOUT)
    journal.add(TRIAL.model_copy(update={"state": "failed"}))
    journal.add(TRIAL)
    assert Journal(path, BackboneTrial, ABOUT).trials == {"a": TRIAL}


def test_a_journal_of_other_versions_is_refused_with_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, BackboneTrial, ABOUT)
    with pytest.raises(SeemkitError, match=r"was made with timm '1.0' and not '1.1'; name another file"):
        Journal(path, BackboneTrial, {**ABOUT, "timm": "1.1"})


@pytest.mark.parametrize("text", ["[]\n", "no json\n", '{"about": {}}\n{"model": "a"}\n', "\n"])
def test_another_file_is_refused_in_one_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(text)
    with pytest.raises(SeemkitError, match="is no journal of this sweep"):
        Journal(path, BackboneTrial, {})

"""Records that survive: what was found is found again, a torn line is dropped, another evaluation refused."""

from pathlib import Path

import pytest

from seemkit.errors import SeemkitError
from seemkit.evaluation.ledger import Ledger

ONE = {"assembly": "nano", "weights": "abc"}


def test_what_was_found_is_found_again(tmp_path: Path) -> None:
    with Ledger(tmp_path / "out", ONE) as ledger:
        ledger.add(("s", "m", "k"), {"x": 1}, 0.5)
        ledger.add(("s", "m", "nothing"), None)
    with Ledger(tmp_path / "out", ONE) as again:
        assert ("s", "m", "k") in again
        assert ("s", "m", "nothing") in again
        assert ("s", "other", "k") not in again
        assert list(again.records("s", "m")) == [{"key": "k", "x": 1}]
        assert again.scores("s", "m") == {"k": 0.5}
        again.add(("s", "m", "l"), {"x": 2}, 0.1)
        assert [r["x"] for r in again.records("s", "m")] == [1, 2]


def test_a_line_that_was_not_written_to_its_end_is_dropped(tmp_path: Path) -> None:
    with Ledger(tmp_path, ONE) as ledger:
        ledger.add(("s", "m", "k"), {"x": 1})
        ledger.add(("s", "m", "l"), {"x": 2})
    lines = tmp_path / "records.jsonl"
    lines.write_bytes(lines.read_bytes()[:-10])
    with Ledger(tmp_path, ONE) as again:
        assert ("s", "m", "l") not in again
        again.add(("s", "m", "l"), {"x": 3})
    with Ledger(tmp_path, ONE) as third:
        assert [r["x"] for r in third.records("s", "m")] == [1, 3]


def test_another_evaluation_is_refused_and_restart_forgets(tmp_path: Path) -> None:
    with Ledger(tmp_path, ONE) as ledger:
        ledger.add(("s", "m", "k"), {"x": 1})
    with pytest.raises(SeemkitError, match=r"holds another evaluation: its weights differs .* --restart"):
        Ledger(tmp_path, {**ONE, "weights": "other"})
    with Ledger(tmp_path, {**ONE, "weights": "other"}, restart=True) as anew:
        assert len(anew) == 0


def test_a_damaged_head_and_a_folder_that_is_a_file_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_text("{")
    with pytest.raises(SeemkitError, match="is damaged"):
        Ledger(tmp_path, ONE)
    (tmp_path / "file").write_text("")
    with pytest.raises(SeemkitError, match="cannot be written"):
        Ledger(tmp_path / "file", ONE)


def test_without_a_folder_it_is_kept_in_memory() -> None:
    with Ledger(None, ONE) as ledger:
        ledger.add(("s", "m", "k"), {"x": 1}, 0.5)
        assert list(ledger.records("s", "m")) == [{"key": "k", "x": 1}]

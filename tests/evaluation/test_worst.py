"""Worst cases: only the lowest scores are kept, whatever order they come in, and after a restart too."""

from pathlib import Path

from PIL import Image

from seemkit.evaluation.worst import WorstCases


def picture() -> Image.Image:
    return Image.new("RGB", (8, 8))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_lowest_scores_are_kept(tmp_path: Path) -> None:
    cases = WorstCases(tmp_path / "worst", 2)
    for key, score in (("a", 0.9), ("b", 0.2), ("c", 0.5), ("d", 0.8)):
        cases.see(key, score, picture)
    assert names(tmp_path / "worst") == ["0.2000-b.png", "0.5000-c.png"]


def test_one_that_is_not_among_the_worst_is_not_drawn(tmp_path: Path) -> None:
    drawn = []
    cases = WorstCases(tmp_path, 1)
    for key, score in (("a", 0.1), ("b", 0.2)):
        cases.see(key, score, lambda key=key: drawn.append(key) or picture())
    assert drawn == ["a"]


def test_scores_of_an_earlier_run_count(tmp_path: Path) -> None:
    WorstCases(tmp_path, 2).see("a", 0.5, picture)
    cases = WorstCases(tmp_path, 2, {"a": 0.5, "b": 0.4})
    cases.see("c", 0.6, picture)
    assert names(tmp_path) == ["0.5000-a.png"]
    cases.see("d", 0.1, picture)
    assert names(tmp_path) == ["0.1000-d.png"]


def test_keys_that_are_no_file_names_stay_apart(tmp_path: Path) -> None:
    cases = WorstCases(tmp_path, 3)
    cases.see("a/b", 0.5, picture)
    cases.see("a:b", 0.5, picture)
    cases.see("../c", 0.5, picture)
    assert len(names(tmp_path)) == 3
    assert all(name.startswith("0.5000-") for name in names(tmp_path))

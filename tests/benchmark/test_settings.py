"""The fixed settings under benchmarks/ name groups and assemblies that there are, and are listed in their page."""

import runpy
from pathlib import Path

import pytest

from seemkit.assembly import assembly_names
from seemkit.benchmark.groups import GROUPS

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
FILES = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_setting_can_be_run(file: Path) -> None:
    names = runpy.run_path(str(file))
    assert set(names["GROUPS"]) <= set(GROUPS)
    assert names["SETTING"][names["SETTING"].index("-m") + 1] in assembly_names()
    assert names["PAGE"].is_file()
    assert f"| `{file.name}` |" in (FOLDER / "README.md").read_text()


def test_there_are_settings() -> None:
    assert len(FILES) >= 2

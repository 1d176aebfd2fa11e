"""Tutorials begin with a screen that works, and end with what `seemkit new` writes."""

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from seemkit.cli.main import cli
from seemkit.scaffold.blueprint import BLUEPRINTS
from seemkit.scaffold.naming import Naming
from seemkit.scaffold.project import project_files

TUTORIALS = Path(__file__).resolve().parents[2] / "docs" / "tutorials"


def fences(page: str, kind: str) -> list[str]:
    text = (TUTORIALS / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(("page", "lines"), [("prompt", 11), ("backbone", 11), ("text-encoder", 14)])
def test_the_first_screen_is_about_a_dozen_working_lines(page: str, lines: int) -> None:
    assert len([line for line in fences(page, "python")[0].splitlines() if line.strip()]) == lines


def test_the_page_shows_what_the_command_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["new", "prompt", "gaze", "--about", "where somebody looked"]
    outcome = CliRunner().invoke(cli, words, prog_name="seemkit")
    assert fences("prompt", "console") == ['seemkit new prompt gaze --about "where somebody looked"\n']
    assert fences("prompt", "text")[0] == outcome.stdout


@pytest.mark.parametrize(
    ("page", "word", "name", "shared"),
    [
        ("prompt", "prompt", "gaze", {"region", "check", "parse", "simulate", "example"}),
        ("backbone", "backbone", "stairs", {"declare", "build", "__init__", "forward"}),
        ("text-encoder", "text-encoder", "words", {"declare", "__init__", "encode"}),
    ],
)
def test_the_code_of_a_page_is_that_of_the_template(
    page: str, word: str, name: str, shared: set[str]
) -> None:
    naming = Naming(name)
    template = project_files(BLUEPRINTS[word], naming)[f"src/{naming.package}/{naming.module}.py"]
    shown = methods(max(fences(page, "python"), key=len))
    written = methods(template)
    assert {name: shown[name] for name in shared} == {name: written[name] for name in shared}


def methods(source: str) -> dict[str, str]:
    """Every method of a source by its name, without its docstring."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            node.body = node.body[1:] if ast.get_docstring(node) else node.body
            found[node.name] = ast.unparse(node)
    return found

"""`plugins/seemkit-lasso` is what `seemkit new prompt lasso` writes, plus its geometry: nothing else differs."""

import ast
from pathlib import Path

import pytest

from seemkit.scaffold.blueprint import BLUEPRINTS
from seemkit.scaffold.naming import Naming
from seemkit.scaffold.project import project_files, write_project

LASSO = Path(__file__).resolve().parents[2] / "plugins" / "seemkit-lasso"
PROMPT, TESTS = "src/seemkit_lasso/lasso.py", "tests/test_lasso.py"
LEFTOVERS = ("__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", "build", "dist")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "seemkit-lasso"
    files = project_files(BLUEPRINTS["prompt"], Naming("lasso"), "a loop drawn loosely around the object")
    write_project(folder, files)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a project, without what tools leave behind."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not set(path.relative_to(folder).parts) & set(LEFTOVERS)
    }


def test_the_prompt_and_its_tests_are_the_only_files_that_differ(generated: Path) -> None:
    ours, theirs = contents(LASSO), contents(generated)
    assert sorted(ours) == sorted(theirs)
    assert {path for path, text in ours.items() if theirs[path] != text} == {PROMPT, TESTS}


def test_in_the_prompt_only_the_geometry_differs(generated: Path) -> None:
    ours, theirs = (frame_of_prompt(folder / PROMPT) for folder in (LASSO, generated))
    assert ours == theirs
    assert "type: Literal['lasso'] = 'lasso'" in ours
    assert "def region(self, size: api.Grid) -> api.Region:" in ours


def test_in_the_tests_only_values_and_the_tests_of_the_geometry_differ(generated: Path) -> None:
    ours, theirs = (frame_of_tests(folder / TESTS) for folder in (LASSO, generated))
    assert ours == theirs
    assert "class TestLasso(PromptContract):" in ours


def frame_of_prompt(path: Path) -> str:
    """The source without what is geometry: fields, their docstring, the canvas tool and bodies of methods."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    (prompt,) = [node for node in module.body if isinstance(node, ast.ClassDef)]
    kept: list[ast.stmt] = []
    for node in prompt.body:
        if isinstance(node, ast.FunctionDef):
            node.body = [ast.Expr(ast.Constant(...))]
            kept.append(node)
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "type":
            kept.append(node)
    prompt.body = kept
    return ast.unparse(module)


def frame_of_tests(path: Path) -> str:
    """The source without test functions and constants, and without the values of flags."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    module.body = [n for n in module.body if not isinstance(n, ast.FunctionDef | ast.Assign)]
    (suite,) = [node for node in module.body if isinstance(node, ast.ClassDef)]
    for node in suite.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            node.value = ast.Dict([], [])
    return ast.unparse(module)

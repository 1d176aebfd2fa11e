"""What a project is made of, and how it is written: whole, and over nothing that it was not told to."""

import ast
import tomllib
from pathlib import Path

import pytest

from seemkit.errors import SeemkitError
from seemkit.scaffold.blueprint import BLUEPRINTS
from seemkit.scaffold.naming import LONGEST, Naming
from seemkit.scaffold.project import project_files, write_project
from seemkit_registry import KINDS

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "seemkit" / "scaffold" / "templates"
FILES = {"README.md": "gaze\n", "src/gaze.py": '"""Gaze."""\n'}

each = pytest.mark.parametrize("word", BLUEPRINTS)


@each
def test_a_project_has_eight_files_at_most(word: str) -> None:
    assert len(project_files(BLUEPRINTS[word], Naming("gaze"))) <= 8


@pytest.mark.parametrize("word", ["prompt", "token-prompt"])
def test_a_prompt_is_one_file_of_forty_lines_at_most(word: str) -> None:
    files = project_files(BLUEPRINTS[word], Naming("gaze"))
    assert len(files["src/seemkit_gaze/gaze.py"].splitlines()) <= 40
    assert set(files) - {"src/seemkit_gaze/gaze.py"} == {
        ".gitignore",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "src/seemkit_gaze/__init__.py",
        "src/seemkit_gaze/py.typed",
        "tests/test_gaze.py",
    }


@each
@pytest.mark.parametrize("name", ["a", "eye-gaze", "eye_gaze", "x" * LONGEST])
def test_names_are_put_in_everywhere(word: str, name: str) -> None:
    naming = Naming(name)
    files = project_files(BLUEPRINTS[word], naming, "where somebody looked")
    assert not [path for path, text in files.items() if "$" in text or "${" in path]
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert project["name"] == naming.distribution
    assert project["description"].endswith(" for seemkit: where somebody looked")
    kind = BLUEPRINTS[word].kind
    value = f"{naming.package}.{naming.module}:{naming.class_name}"
    assert project["entry-points"] == {f"seemkit.{kind}": {name: value}}
    module = ast.parse(files[f"src/{naming.package}/{naming.module}.py"])
    assert naming.class_name in [node.name for node in module.body if isinstance(node, ast.ClassDef)]
    assert "where somebody looked." in str(ast.get_docstring(module))


@each
def test_the_text_of_the_licence_that_the_metadata_names_is_there(word: str) -> None:
    files = project_files(BLUEPRINTS[word], Naming("gaze"))
    assert tomllib.loads(files["pyproject.toml"])["project"]["license"] == "Apache-2.0"
    assert files["LICENSE"] == (ROOT / "LICENSE").read_text(encoding="utf-8"), "seemkit's, which is the same"


def test_every_template_is_used_and_every_kind_is_known() -> None:
    assert {path.name for path in TEMPLATES.iterdir()} == {*BLUEPRINTS, "project"}
    for word in BLUEPRINTS:
        assert {path.name for path in (TEMPLATES / word).iterdir()} == {"component.py.tmpl", "test.py.tmpl"}
    assert {blueprint.kind for blueprint in BLUEPRINTS.values()} <= set(KINDS)


@pytest.mark.parametrize(
    ("word", "name", "says"),
    [
        (
            "prompt",
            "literal",
            "'literal' would make a class Literal, a name that its file imports from typing",
        ),
        ("prompt", "field", "a name that its file imports from pydantic"),
        ("backbone", "tensor", "a name that its file imports from torch"),
        ("backbone", "network", "a name that its file has for another one"),
    ],
)
def test_a_class_that_would_hide_another_name_is_refused(word: str, name: str, says: str) -> None:
    with pytest.raises(SeemkitError, match=says):
        project_files(BLUEPRINTS[word], Naming(name))


def test_a_folder_is_made_and_what_was_written_is_told(tmp_path: Path) -> None:
    written = write_project(tmp_path / "a" / "b", FILES)
    assert (written.new, written.replaced) == (("README.md", "src/gaze.py"), ())
    assert {path: (tmp_path / "a" / "b" / path).read_text() for path in FILES} == FILES


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    assert len(write_project(tmp_path, FILES).new) == 2


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SeemkitError, match="is there already and not empty: give another folder with --into"):
        write_project(tmp_path, FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_force_says_what_it_replaced_and_touches_nothing_else(tmp_path: Path) -> None:
    write_project(tmp_path, FILES)
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "src/gaze.py").write_text("changed")
    written = write_project(tmp_path, {**FILES, "new.txt": ""}, force=True)
    assert (written.new, written.replaced) == (("new.txt",), ("src/gaze.py",))
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("force", [False, True])
def test_a_file_in_the_way_is_refused_in_a_sentence(tmp_path: Path, force: bool) -> None:
    (tmp_path / "gaze").write_text("mine")
    with pytest.raises(SeemkitError, match="is a file: give another folder with --into"):
        write_project(tmp_path / "gaze", FILES, force=force)
    with pytest.raises(SeemkitError, match=r"cannot be (made|written)"):
        write_project(tmp_path / "gaze" / "below", FILES, force=force)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "src").write_text("mine")
    with pytest.raises(SeemkitError, match=r"cannot be (made|written)"):
        write_project(tmp_path / "other", FILES, force=True)
    assert (tmp_path / "gaze").read_text() == (tmp_path / "other" / "src").read_text() == "mine"

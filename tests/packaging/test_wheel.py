"""The wheel, built from the source as it is: every file of the packages, their data, and nothing else."""

import configparser
import os
import tomllib
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

import pytest

import seemkit

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = [ROOT / path for path in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
INFO = f"seemkit-{seemkit.__version__}.dist-info"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    hatchling = pytest.importorskip("hatchling.build", reason="the build backend is not installed")
    folder, before = tmp_path_factory.mktemp("dist"), Path.cwd()
    os.chdir(ROOT)  # as build front ends do
    try:
        name = hatchling.build_wheel(str(folder))
    finally:
        os.chdir(before)
    with zipfile.ZipFile(folder / name) as built:
        yield built


def test_it_holds_exactly_the_files_of_the_packages(wheel: zipfile.ZipFile) -> None:
    expected = {
        path.relative_to(package.parent).as_posix()
        for package in PACKAGES
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in wheel.namelist() if not name.startswith(INFO)} == expected


def test_assemblies_evaluations_and_type_marks_are_among_them(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {f"{package.name}/py.typed" for package in PACKAGES} <= names
    assert {f"seemkit/assemblies/{p.name}" for p in (ROOT / "seemkit/assemblies").iterdir()} <= names
    assert {f"seemkit/evaluations/{p.name}" for p in (ROOT / "seemkit/evaluations").iterdir()} <= names


def test_its_weights_are_small(wheel: zipfile.ZipFile) -> None:
    weights = [entry.file_size for entry in wheel.infolist() if entry.filename.endswith(".safetensors")]
    assert sum(weights) <= 20_000_000  # the promise of the project: at most 20 MB in all


def test_its_metadata_says_version_licence_and_extras(wheel: zipfile.ZipFile) -> None:
    about = HeaderParser().parsestr(wheel.read(f"{INFO}/METADATA").decode())
    assert about["Name"] == "seemkit"
    assert about["Version"] == seemkit.__version__
    assert about["License-Expression"] == "Apache-2.0"
    assert about["Requires-Python"] == ">=3.11"
    assert set(about.get_all("Provides-Extra", [])) == set(PYPROJECT["project"]["optional-dependencies"])
    for name in PYPROJECT["project"]["license-files"]:
        assert wheel.read(f"{INFO}/licenses/{name}") == (ROOT / name).read_bytes()


def test_its_entry_points_are_those_of_the_source(wheel: zipfile.ZipFile) -> None:
    found = configparser.ConfigParser(delimiters=("=",))
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(wheel.read(f"{INFO}/entry_points.txt").decode())
    expected = {
        **PYPROJECT["project"]["entry-points"],
        "console_scripts": PYPROJECT["project"]["scripts"],
    }
    assert {section: dict(found[section]) for section in found.sections()} == expected

"""A new project of each kind, written and installed as its author would, once for all tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from seemkit.scaffold.blueprint import BLUEPRINTS
from seemkit.scaffold.naming import Naming
from seemkit.scaffold.project import project_files, write_project


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`projects["backbone"]`: the folder of a new project `new-backbone`; one of each kind."""
    folder = tmp_path_factory.mktemp("projects")
    found = {}
    for word, blueprint in BLUEPRINTS.items():
        naming = Naming(f"new-{word}")
        found[word] = folder / naming.distribution
        write_project(found[word], project_files(blueprint, naming))
    return found


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, projects: dict[str, Path]) -> Path:
    """A folder that pip installed all of them into, without their requirements and without a network."""
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    folder = tmp_path_factory.mktemp("site")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    flags = ("--no-index", "--no-deps", "--no-build-isolation", "--target", str(folder))
    subprocess.run([*pip, *flags, *map(str, projects.values())], check=True)
    return folder

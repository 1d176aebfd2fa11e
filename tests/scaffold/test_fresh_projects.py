"""A new project of every kind installs, lints, type-checks and passes its conformance tests, untouched."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from seemkit.scaffold.blueprint import BLUEPRINTS
from seemkit.scaffold.naming import LONGEST, Naming
from seemkit.scaffold.project import project_files, write_project
from seemkit_registry import Registry

SUITES = {
    "prompt": "TestNewPrompt: 39 checks, 39 passed",
    "token-prompt": "TestNewTokenPrompt: 36 checks, 34 passed, 2 skipped",
    "backbone": "TestNewBackbone: 26 checks, 25 passed, 1 skipped",
    "text-encoder": "TestNewTextEncoder: 24 checks, 23 passed, 1 skipped",
    "answer-policy": "TestNewAnswerPolicy: 13 checks, 13 passed",
    "hooks": "TestNewHooks: 6 checks, 6 passed",
    "exporter": "TestNewExporter: 15 checks, 15 passed",
    "dataset": "TestNewDataset: 14 checks, 13 passed, 1 skipped",
}
"""What pytest says of the conformance suite of each kind."""


def run(*words: object, cwd: Path, **variables: object) -> str:
    """What a tool of this environment prints, which ends well; it sees nothing of the tests around it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "MYPY"))}
    environment |= {name: str(value) for name, value in variables.items()}
    ended = subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    said = f"{ended.stdout}{ended.stderr}"
    assert ended.returncode == 0, said
    return said


@pytest.mark.parametrize("name", ["a", "eye-gaze", "x" * LONGEST])
def test_it_is_linted_and_formatted_whatever_its_name(tmp_path: Path, name: str) -> None:
    pytest.importorskip("ruff", reason="ruff is not installed")
    for word, blueprint in BLUEPRINTS.items():
        write_project(tmp_path / word, project_files(blueprint, Naming(name)))
        run("ruff", "check", "--no-cache", cwd=tmp_path / word)
        run("ruff", "format", "--check", "--no-cache", cwd=tmp_path / word)


@pytest.mark.parametrize("torch", [False, True], ids=["without-torch", "with-torch"])
def test_it_type_checks_strictly(
    projects: dict[str, Path], tmp_path: Path, pytestconfig: pytest.Config, torch: bool
) -> None:
    """All kinds that have the same settings in one run: most of the time goes into what they import."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    alike = [projects[word] for word, blueprint in BLUEPRINTS.items() if blueprint.torch == torch]
    configs = {_mypy_settings(project) for project in alike}
    assert len(configs) == 1
    assert "strict = true" in configs.pop()
    assert pytestconfig.cache is not None
    cache = pytestconfig.cache.mkdir(f"mypy-of-new-projects-{torch}")
    folders = [project / part for project in alike for part in ("src", "tests")]
    flags = ("--config-file", alike[0] / "pyproject.toml", "--cache-dir", cache)
    said = run("mypy", *flags, *folders, cwd=tmp_path, MYPYPATH=os.pathsep.join(map(str, folders[::2])))
    assert f"no issues found in {3 * len(alike)} source files" in said


def _mypy_settings(project: Path) -> str:
    text = (project / "pyproject.toml").read_text()
    return text[text.index("[tool.mypy]") : text.index("[tool.ruff]")]


def test_it_is_listed_once_it_is_installed(site: Path) -> None:
    listed = {(c.kind, c.name, c.qualified) for c in Registry(path=[str(site)]).components()}
    assert listed == {
        (blueprint.kind, f"new-{word}", f"seemkit-new-{word}/new-{word}")
        for word, blueprint in BLUEPRINTS.items()
    }


def test_it_is_installed_with_its_licence(projects: dict[str, Path], site: Path) -> None:
    for word, project in projects.items():
        (about,) = site.glob(f"seemkit_new_{word.replace('-', '_')}-*.dist-info")
        assert (about / "licenses" / "LICENSE").read_bytes() == (project / "LICENSE").read_bytes()


def test_its_conformance_tests_pass(projects: dict[str, Path], site: Path) -> None:
    tests = [project / "tests" for project in projects.values()]
    flags = ("-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", site)
    said = run("pytest", *flags, *tests, cwd=site, PYTHONPATH=site)
    assert _suites(said) == sorted(SUITES.values())
    assert " failed" not in said


def _suites(said: str) -> Sequence[str]:
    return sorted(line for line in said.splitlines() if re.match(r"TestNew\w+: ", line))

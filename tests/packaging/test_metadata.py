"""What pyproject.toml promises, held against the source, the pins of CI and what is installed."""

import importlib
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import seemkit

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
ENTRIES = [
    (group, name, value)
    for group, entries in {**PROJECT["entry-points"], "console_scripts": PROJECT["scripts"]}.items()
    for name, value in entries.items()
]


def requirements(extra: str | None = None) -> list[Requirement]:
    texts = PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]
    return [Requirement(text) for text in texts]


def pins() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name: Version(version) for name, version in pairs}


def installed() -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution("seemkit")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("seemkit is imported from its source and not installed")


@pytest.mark.parametrize(("group", "name", "value"), ENTRIES)
def test_every_entry_point_resolves(group: str, name: str, value: str) -> None:
    module, _, attribute = value.partition(":")
    assert callable(getattr(importlib.import_module(module), attribute)), f"{group}: {name}"


def test_the_installed_entry_points_are_those_of_the_source() -> None:
    found = {(e.group, e.name, e.value) for e in installed().entry_points}
    assert found == set(ENTRIES), "install again: pip install -e ."


def test_the_version_stands_in_one_place() -> None:
    assert "version" not in PROJECT
    assert PROJECT["dynamic"] == ["version"]
    source = ROOT / PYPROJECT["tool"]["hatch"]["version"]["path"]
    assert f'__version__ = "{seemkit.__version__}"' in source.read_text(encoding="utf-8")
    stated = re.compile(rf'(?i)version[_\s]*[=:]\s*"?{re.escape(seemkit.__version__)}\b')
    others = [
        path
        for folder in ("seemkit", "registry")
        for path in (ROOT / folder).rglob("*.py")
        if path != source and stated.search(path.read_text(encoding="utf-8"))
    ]
    assert not others
    assert Version(installed().version) == Version(seemkit.__version__)


def test_the_files_that_the_metadata_names_are_there() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    for name in (PROJECT["readme"], *PROJECT["license-files"]):
        assert (ROOT / name).stat().st_size > 200, name
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_python_3_11_is_the_oldest() -> None:
    wanted = SpecifierSet(PROJECT["requires-python"])
    assert "3.11" in wanted
    assert "3.10" not in wanted
    assert PYPROJECT["tool"]["mypy"]["python_version"] == "3.11"


@pytest.mark.parametrize("extra", [None, "dev"])
def test_every_dependency_is_pinned_for_ci_to_a_version_that_is_allowed(extra: str | None) -> None:
    pinned = pins()
    for requirement in requirements(extra):
        assert requirement.specifier, f"{requirement.name} has no lower bound"
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is pinned to {version}"


def test_pins_are_whole_versions_named_once() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in pinned)
    names = [line.partition("==")[0] for line in pinned]
    assert names == sorted(set(names))
    assert [canonicalize_name(name) for name in names] == names


def test_nothing_is_needed_at_run_time_for_tests_or_training_only() -> None:
    always = {r.name for r in requirements()}
    for extra in PROJECT["optional-dependencies"]:
        assert not always & {r.name for r in requirements(extra)}, extra


def test_the_lasso_asks_for_a_host_that_this_one_is() -> None:
    lasso = tomllib.loads((ROOT / "plugins/seemkit-lasso/pyproject.toml").read_text(encoding="utf-8"))
    (host,) = [Requirement(r) for r in lasso["project"]["dependencies"]]
    assert host.name == "seemkit"
    assert host.specifier.contains(seemkit.__version__)

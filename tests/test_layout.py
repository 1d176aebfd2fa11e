"""The rules of the house: where files lie, how long they are, what they are called and whom they import.

Read from the source alone: nothing is imported, so that a broken module cannot hide a broken rule.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LIBRARY = ("seemkit", "registry", "plugins")
LONGEST = 400
LONGEST_SPATIAL_PROMPT = 40
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "stuff", "tools"}

REGISTRY_MAY_IMPORT = {"pydantic", "pluggy", "importlib_metadata", "packaging"}
PLUGINS_MAY_IMPORT = {  # beside seemkit.api and themselves
    "seemkit_prompts": {"torch", "numpy", "pydantic", "pocketsphinx", "faster_whisper"},
    "seemkit_backbones": {"torch", "numpy", "pydantic", "timm"},
    "seemkit_text": {"torch", "numpy", "pydantic", "open_clip", "tokenizers", "safetensors"},
    "seemkit_extras": {"torch", "numpy", "pydantic", "PIL"},
    "seemkit_data": {"torch", "numpy", "pydantic", "timm"},
    "seemkit_lasso": {"torch", "numpy", "pydantic"},
}
PACKAGES = {
    Path(path).name: ROOT / path
    for path in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
}
PLUGINS = {name: PACKAGES[name] for name in PACKAGES if name not in ("seemkit", "seemkit_registry")}
PLUGINS["seemkit_lasso"] = ROOT / "plugins" / "seemkit-lasso" / "src" / "seemkit_lasso"


class Import(NamedTuple):
    """One import: what is imported, where, and whether it happens when the module is imported."""

    module: str
    line: int
    lazy: bool
    typing_only: bool


def python_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def text_files() -> Iterator[Path]:
    names = ("README.md", "NOTICE", "pyproject.toml", "constraints.txt", ".gitignore")
    yield from (ROOT / name for name in names)
    for folder in (*LIBRARY, "tests", "docs", ".ci"):
        for path in sorted((ROOT / folder).rglob("*")):
            hidden = any(
                part.startswith((".", "__pycache__")) for part in path.relative_to(ROOT / folder).parts
            )
            if path.is_file() and not hidden and path.suffix not in (".safetensors", ".png"):
                yield path


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file; ``from package import name`` counts as ``package.name``."""

    def visit(node: ast.AST, lazy: bool, typing_only: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if isinstance(child, ast.Import):
                yield from (Import(name.name, child.lineno, inside, typing_only) for name in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}:{child.lineno} imports relatively"
                for name in child.names:
                    yield Import(f"{child.module}.{name.name}", child.lineno, inside, typing_only)
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                for part in child.body:
                    yield from visit(ast.Module([part], []), inside, True)
                for part in child.orelse:
                    yield from visit(ast.Module([part], []), inside, typing_only)
            else:
                yield from visit(child, inside, typing_only)

    return visit(parse(path), False, False)


def top(module: str) -> str:
    return module.partition(".")[0]


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_has_a_name_that_says_nothing() -> None:
    stems = {where(path): path.stem.strip("_") for path in python_files(*LIBRARY, "tests")}
    vague = [name for name, stem in stems.items() if VAGUE & set(stem.split("_"))]
    assert not vague, "name a file after its one concept"


def test_no_library_file_is_longer_than_400_lines() -> None:
    lengths = {where(p): len(p.read_text(encoding="utf-8").splitlines()) for p in python_files(*LIBRARY)}
    assert lengths
    assert not {name: length for name, length in lengths.items() if length > LONGEST}


def test_nothing_is_left_to_do_in_comments() -> None:
    marks = re.compile(
        "|".join(rf"\b{word}\b" for word in ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"))
    )
    found = {
        f"{where(path)}:{number}": line.strip()
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if marks.search(line)
    }
    assert not found


def test_no_text_names_a_package_index() -> None:
    hosts = re.compile("|".join(("pypi" + r"\.org", "python" + r"hosted\.org", "--(extra-)?index-url")))
    assert not [where(p) for p in text_files() if hosts.search(p.read_text(encoding="utf-8"))]


def test_every_module_begins_with_a_sentence() -> None:
    openings = {where(path): ast.get_docstring(parse(path)) or "" for path in python_files(*LIBRARY)}
    assert not [name for name, said in openings.items() if not re.search(r"[.!?:`)]$", said.split("\n\n")[0])]


@pytest.mark.parametrize("name", ["seemkit", "seemkit_registry", *PLUGINS])
def test_every_package_is_typed(name: str) -> None:
    assert ({**PACKAGES, **PLUGINS}[name] / "py.typed").is_file()


def entry_points() -> list[tuple[str, str, str]]:
    project = PYPROJECT["project"]
    found = [("console_scripts", name, value) for name, value in project["scripts"].items()]
    for group, entries in project["entry-points"].items():
        found += [(group, name, value) for name, value in entries.items()]
    return found


@pytest.mark.parametrize(("group", "name", "value"), entry_points())
def test_every_entry_point_names_a_definition_in_a_file_that_exists(
    group: str, name: str, value: str
) -> None:
    module, _, attribute = value.partition(":")
    package, *rest = module.split(".")
    path = PACKAGES[package].joinpath(*rest).with_suffix(".py")
    assert path.is_file(), f"{group}: {name} = {value}"
    defined = {node.name for node in parse(path).body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assert attribute in defined, f"{group}: {name} = {value}"


def prompt_entry_points() -> dict[str, str]:
    entries: dict[str, str] = PYPROJECT["project"]["entry-points"]["seemkit.prompts"]
    return entries


def test_every_prompt_file_is_one_plugin_with_one_entry_point() -> None:
    modules = {path.stem for path in PLUGINS["seemkit_prompts"].glob("*.py")} - {"__init__"}
    declared = [value.partition(":")[0].rpartition(".")[2] for value in prompt_entry_points().values()]
    assert sorted(modules) == sorted(declared)
    for name, value in prompt_entry_points().items():
        assert value.partition(":")[0] == f"seemkit_prompts.{name}"


@pytest.mark.parametrize(
    "path", sorted([*PLUGINS["seemkit_prompts"].glob("*.py"), *PLUGINS["seemkit_lasso"].glob("*.py")])
)
def test_a_prompt_file_holds_one_public_class_and_a_spatial_one_is_short(path: Path) -> None:
    classes = [node for node in parse(path).body if isinstance(node, ast.ClassDef)]
    public = [node for node in classes if not node.name.startswith("_")]
    if path.stem == "__init__":
        assert not classes
        return
    assert len(public) == 1, [node.name for node in public]
    bases = {ast.unparse(base).removeprefix("api.") for base in public[0].bases}
    assert bases <= {"SpatialPrompt", "TokenPrompt"}, bases
    if bases == {"SpatialPrompt"}:
        assert public[0].end_lineno is not None
        assert public[0].end_lineno - public[0].lineno < LONGEST_SPATIAL_PROMPT


@pytest.mark.parametrize("package", PLUGINS)
def test_a_plugin_imports_the_public_interface_and_what_it_wraps(package: str) -> None:
    allowed = PLUGINS_MAY_IMPORT[package] | {package}
    for path in sorted(PLUGINS[package].rglob("*.py")):
        for each in imports(path):
            if top(each.module) == "seemkit":
                assert each.module.startswith("seemkit.api"), (
                    f"{where(path)}:{each.line} imports {each.module}"
                )
            else:
                assert top(each.module) in allowed | sys.stdlib_module_names, f"{where(path)}:{each.line}"


@pytest.mark.parametrize("package", ["seemkit_prompts", "seemkit_lasso"])
def test_a_prompt_value_loads_no_torch(package: str) -> None:
    eager = [
        f"{where(path)}:{each.line}"
        for path in PLUGINS[package].rglob("*.py")
        for each in imports(path)
        if top(each.module) == "torch" and not (each.lazy or each.typing_only)
    ]
    assert not eager, "import torch where it is used, or under TYPE_CHECKING"


def test_the_registry_imports_nothing_but_what_it_may() -> None:
    allowed = REGISTRY_MAY_IMPORT | {"seemkit_registry"} | sys.stdlib_module_names
    for path in python_files("registry"):
        assert not [each for each in imports(path) if top(each.module) not in allowed], where(path)


def test_the_core_names_plugins_for_type_checkers_only() -> None:
    found = [
        (where(path), each)
        for path in python_files("seemkit")
        for each in imports(path)
        if top(each.module) in PLUGINS
    ]
    assert {path for path, _ in found} == {"seemkit/prompts.py"}
    assert all(each.typing_only for _, each in found)

"""The files of a new project, and how they come to the disk."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from packaging.version import Version

from seemkit import __version__
from seemkit.errors import SeemkitError
from seemkit.results.atomic import replacing
from seemkit.scaffold.blueprint import Blueprint
from seemkit.scaffold.naming import Naming

__all__ = ["Written", "project_files", "write_project"]


WITHOUT_TORCH = """
[[tool.mypy.overrides]]
module = "torch.*"
follow_imports = "skip"  # reading torch's types is most of the work; delete this to have them
"""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        new: paths within the project that were not there before.
        replaced: those that had other content before.
    """

    new: tuple[str, ...]
    replaced: tuple[str, ...]


def project_files(blueprint: Blueprint, naming: Naming, about: str | None = None) -> dict[str, str]:
    """The content of every file of a project, by its path within it.

    Args:
        blueprint: what kind of project.
        naming: its names.
        about: what the component is, in a few words; by default what the template's is.

    Raises:
        SeemkitError: the class would hide a name that its own file imports.
    """
    values = _values(blueprint, naming, about or blueprint.about)
    package = f"src/{naming.package}"
    files = {
        ".gitignore": _filled("project/gitignore", values),
        "LICENSE": _filled("project/LICENSE", values),
        "README.md": _filled("project/README.md", values),
        "pyproject.toml": _filled("project/pyproject.toml", values),
        f"{package}/__init__.py": _filled("project/init.py", values),
        f"{package}/{naming.module}.py": _filled(f"{blueprint.word}/component.py", values),
        f"{package}/py.typed": "",
        f"tests/test_{naming.module}.py": _filled(f"{blueprint.word}/test.py", values),
    }
    for path, text in files.items():
        if path.endswith(".py"):
            _check_class(text, naming)
    return files


def write_project(folder: Path, files: Mapping[str, str], *, force: bool = False) -> Written:
    """Write the files of a project, each whole or not at all.

    Args:
        folder: made if it is not there.
        files: content by path.
        force: write into a folder that holds something, over what has the same name.

    Raises:
        SeemkitError: the folder holds something and `force` is not given, is no folder, or cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise SeemkitError(f"{str(folder)!r} is a file: give another folder with --into", path="--into")
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise SeemkitError(
            f"{str(folder)!r} is there already and not empty: give another folder with --into, or --force to "
            "write over what has the same name",
            path="--into",
            suggestion="--force",
        )
    before = {path: _read(folder / path) for path in files}
    for path, text in files.items():
        target = folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SeemkitError(
                f"the folder {str(target.parent)!r} cannot be made: {error.strerror}", path="--into"
            ) from error
        if before[path] != text.encode():
            with replacing(target) as file:
                file.write(text.encode())
    return Written(
        new=tuple(path for path in files if before[path] is None),
        replaced=tuple(path for path, text in files.items() if before[path] not in (None, text.encode())),
    )


def _values(blueprint: Blueprint, naming: Naming, about: str) -> dict[str, str]:
    own = {
        "name": naming.name,
        "Class": naming.class_name,
        "module": naming.module,
        "package": naming.package,
        "distribution": naming.distribution,
    }
    trial = Template("\n".join(blueprint.trial)).substitute(own)
    return {
        **own,
        "kind": blueprint.kind,
        "what": blueprint.what,
        "What": blueprint.what[0].upper() + blueprint.what[1:],
        "about": about,
        "trial": trial,
        "host": _host_range(),
        "overrides": "" if blueprint.torch else WITHOUT_TORCH,
    }


def _host_range() -> str:
    """The versions of seemkit that a plugin made today is for: this one, and all before the next major."""
    here = Version(__version__)
    return f"seemkit>={here.major}.{here.minor},<{here.major + 1}"


def _filled(template: str, values: Mapping[str, str]) -> str:
    file = resources.files("seemkit.scaffold") / "templates" / f"{template}.tmpl"
    return Template(file.read_text(encoding="utf-8")).substitute(values)


def _check_class(text: str, naming: Naming) -> None:
    """Refuse a class whose name the same file uses for something else."""
    tree = ast.parse(text)
    imported = {
        alias.asname or alias.name: str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    defined = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    name = naming.class_name
    if name in defined and (name in imported or defined.count(name) > 1):
        home = f"imports from {imported[name]}" if name in imported else "has for another one"
        raise SeemkitError(
            f"{naming.name!r} would make a class {name}, a name that its file {home}; choose another name",
            path="NAME",
        )


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SeemkitError(f"{str(path)!r} cannot be written: {error.strerror}", path="--into") from error

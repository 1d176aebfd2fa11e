"""Where a component's source is and what its docstring says, found without importing anything."""

import ast
import sys
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib_metadata import Distribution

__all__ = ["Source"]

_LARGEST = 2_000_000
"""Bytes; a larger source file is not read for a summary."""

_Node = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """The definition behind an entry point, read lazily and statically.

    Attributes:
        module: dotted name of the module; empty if `known_file` is all there is.
        attribute: dotted name inside it; empty for the module itself.
        distribution: whose files are searched if the import path does not have the module.
        known_file: the file, if it is known already.
        known_summary: the summary, if it is known already.
    """

    module: str
    attribute: str = ""
    distribution: "Distribution | None" = None
    known_file: Path | None = None
    known_summary: str | None = None

    @cached_property
    def file(self) -> Path | None:
        """The source file, or None if it cannot be found without importing."""
        if self.known_file is not None or not self.module:
            return self.known_file
        try:
            return _find_on_path(self.module) or self._find_in_distribution()
        except Exception:  # somebody's path hook or metadata; a listing does without the file
            return None

    @property
    def summary(self) -> str:
        """First line of the docstring of the definition, or else of its module; may be empty."""
        if self.known_summary is not None:
            return self.known_summary
        return self._definition[0]

    @property
    def line(self) -> int | None:
        """Line of the definition in `file`, counted from 1."""
        return self._definition[1]

    @cached_property
    def _definition(self) -> tuple[str, int | None]:
        tree = _parse(self.file)
        if tree is None:
            return "", None
        node: _Node = tree
        for part in self.attribute.split(".") if self.attribute else []:
            inner = _last_definition(node.body, part)
            if inner is None:
                return _first_line(tree), _assignment_line(node.body, part)
            node = inner
        line = None if isinstance(node, ast.Module) else node.lineno
        return _first_line(node) or _first_line(tree), line

    def _find_in_distribution(self) -> Path | None:
        if self.distribution is None:
            return None
        stem = self.module.replace(".", "/")
        wanted = (f"{stem}.py", f"{stem}/__init__.py")
        for path in self.distribution.files or []:
            if path.as_posix() in wanted:
                located = Path(str(path.locate()))
                return located if located.is_file() else None
        return None


def _find_on_path(module: str) -> Path | None:
    """The file of `module`: the import path gives the top-level package, the rest is a walk on disk."""
    top, *parts = module.split(".")
    for finder in (PathFinder, *sys.meta_path):
        find = getattr(finder, "find_spec", None)
        spec = find(top, None) if find is not None else None
        if spec is None:
            continue
        if not parts:
            return _python_file(spec.origin)
        if spec.submodule_search_locations is not None:
            return _walk([Path(str(folder)) for folder in spec.submodule_search_locations], parts)
    return None


def _walk(folders: Iterable[Path], parts: list[str]) -> Path | None:
    part, rest = parts[0], parts[1:]
    deeper: list[Path] = []
    for folder in folders:
        package = folder / part
        if not rest:
            for file in (package / "__init__.py", folder / f"{part}.py"):
                if file.is_file():
                    return file
        elif package.is_dir():
            deeper.append(package)
    return _walk(deeper, rest) if rest and deeper else None


def _python_file(origin: str | None) -> Path | None:
    path = Path(origin) if origin else None
    return path if path is not None and path.suffix == ".py" and path.is_file() else None


def _parse(file: Path | None) -> ast.Module | None:
    """The syntax tree of `file`; None if it is missing, too large or broken, which only a load reports."""
    try:
        if file is None or file.stat().st_size > _LARGEST:
            return None
        with tokenize.open(file) as stream:
            return ast.parse(stream.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _last_definition(
    body: list[ast.stmt], name: str
) -> ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | None:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in body if isinstance(node, kinds) and node.name == name]
    return found[-1] if found else None


def _assignment_line(body: list[ast.stmt], name: str) -> int | None:
    for node in body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return node.lineno
    return None


def _first_line(node: _Node) -> str:
    text = ast.get_docstring(node, clean=True) or ""
    return text.strip().split("\n", 1)[0].strip()

"""Runs a one-file plugin such as ``lasso.py`` under guard and finds the components it declares."""

import hashlib
import importlib.util
import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

from seemkit_registry.errors import RegistryError
from seemkit_registry.fault import Fault, describe_exception, one_line

__all__ = ["Classify", "Declared", "declared_in", "run_file"]

Classify = Callable[[object], tuple[str, str] | None]
"""Says the (kind, name) of a class or function, or None if it is no component."""


@dataclass(frozen=True)
class Declared:
    """A component that a file declares."""

    kind: str
    name: str
    attribute: str
    object: object


def run_file(path: Path) -> ModuleType | Fault:
    """The file at `path` as a module with a private name, or the fault that it raised.

    Running it again runs it anew; nothing is written beside it.

    Raises:
        RegistryError: there is no such file, or it is not a ``.py`` file.
    """
    if not path.exists():
        raise RegistryError(f"there is no plugin file {str(path)!r}", path=str(path), plugin=path.name)
    if path.suffix != ".py" or not path.is_file():
        raise RegistryError(
            f"{str(path)!r} is not a plugin file: expected one file that ends in .py",
            path=str(path),
            plugin=path.name,
        )
    path = path.resolve()
    name = f"_seemkit_file_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    before = sys.modules.get(name)
    try:
        code = compile(importlib.util.decode_source(path.read_bytes()), str(path), "exec", dont_inherit=True)
        linecache.checkcache(str(path))
        sys.modules[name] = module  # dataclasses and pydantic look their module up while it runs
        exec(code, module.__dict__)  # noqa: S102 - running the file that the user named is the point
    except BaseException as error:
        if before is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = before
        if isinstance(error, KeyboardInterrupt):
            raise
        return _raised(path, error)
    return module


def declared_in(module: ModuleType, path: Path, classify: Classify | None = None) -> list[Declared]:
    """The components that `module`, run from the file at `path`, declares.

    A class or function declares itself by an attribute of its own, ``component = ("prompts", "lasso")``, or
    by what `classify` says of it. Only what the file itself defines counts.

    Raises:
        RegistryError: it declares none, or declares one wrongly.
    """
    found: list[Declared] = []
    for attribute, value in list(vars(module).items()):
        is_definition = isinstance(value, type | FunctionType)
        if not is_definition or getattr(value, "__module__", None) != module.__name__:
            continue
        declared = _declaration(value, path, classify)
        if declared is not None:
            found.append(Declared(*declared, attribute=attribute, object=value))
    if not found:
        raise RegistryError(
            f"{path.name} declares no component; give a class or function of it an attribute such as "
            f'component = ("prompts", "{path.stem}")',
            path=str(path),
            plugin=path.name,
        )
    return found


def _declaration(value: object, path: Path, classify: Classify | None) -> tuple[str, str] | None:
    stated: object = vars(value).get("component")
    label = getattr(value, "__name__", "?")
    if stated is None and classify is not None:
        try:
            stated = classify(value)
        except Exception as error:
            said, _ = describe_exception(error)
            message = f"{label} in {path.name} could not be classified ({said})"
            raise RegistryError(message, path=str(path), plugin=path.name) from error
    match stated:
        case None:
            return None
        case (str() as kind, str() as name):
            return kind, name
        case _:
            raise RegistryError(
                f"{label} in {path.name} has component = {one_line(repr(stated), 80)}; "
                f'expected a pair of texts such as ("prompts", "{path.stem}")',
                path=str(path),
                plugin=path.name,
            )


def _raised(path: Path, error: BaseException) -> Fault:
    said, trace = describe_exception(error)
    line = _line_in(path, error)
    where = f" at line {line}" if line is not None else ""
    verb = "tried to end the program" if isinstance(error, SystemExit) else "raised"
    return Fault("", "", path.name, f"it {verb}{where}: {said}", f"correct {path}", trace)


def _line_in(path: Path, error: BaseException) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            line = step.tb_lineno
        step = step.tb_next
    return line

"""What the source of a component says of it: docstring and options. Importing a backbone would load torch."""

import ast
import tokenize
from dataclasses import dataclass

from seemkit_registry import Component

__all__ = ["Option", "docstring_of", "options_of"]


@dataclass(frozen=True)
class Option:
    """One option: a field of the pydantic model ``Options`` of a component.

    Attributes:
        name: as a configuration writes it.
        kind: its type, as the source has it.
        default: as the source has it; None if it must be given.
        about: its description; may be empty.
    """

    name: str
    kind: str
    default: str | None
    about: str


def docstring_of(component: Component) -> str:
    """The whole docstring of the definition; empty if the source cannot tell."""
    definition = _definition(component)
    return (ast.get_docstring(definition) or "") if definition is not None else ""


def options_of(component: Component) -> list[Option] | None:
    """The options in the source, in order; None if the source cannot tell and only an import could."""
    definition = _definition(component)
    body = definition.body if definition is not None else []
    model = next((n for n in body if isinstance(n, ast.ClassDef) and n.name == "Options"), None)
    if model is None or [ast.unparse(base).rpartition(".")[2] for base in model.bases] != ["BaseModel"]:
        return None
    return [_read(node) for node in model.body if isinstance(node, ast.AnnAssign) and _is_field(node)]


def _definition(component: Component) -> ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | None:
    if component.file is None or component.line is None:
        return None
    try:
        with tokenize.open(component.file) as stream:
            tree = ast.parse(stream.read())
    except (OSError, SyntaxError, ValueError):
        return None
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return next((n for n in ast.walk(tree) if isinstance(n, kinds) and n.lineno == component.line), None)


def _is_field(node: ast.AnnAssign) -> bool:
    return isinstance(node.target, ast.Name) and not ast.unparse(node.annotation).startswith("ClassVar")


def _read(node: ast.AnnAssign) -> Option:
    name, kind, value = ast.unparse(node.target), ast.unparse(node.annotation), node.value
    if not (isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] == "Field"):
        return Option(name, kind, None if value is None else ast.unparse(value), "")
    named = {word.arg: word.value for word in value.keywords}
    given = value.args[0] if value.args else named.get("default")
    default = None if given is None or ast.unparse(given) == "..." else ast.unparse(given)
    if "default_factory" in named:
        default = f"{ast.unparse(named['default_factory'])}()"
    about = named.get("description")
    return Option(name, kind, default, str(about.value) if isinstance(about, ast.Constant) else "")

"""What pydantic finds wrong with a value, in the words of the project, with its path and the nearest right name."""

from collections.abc import Iterator, Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from seemkit_registry import nearest
from seemkit_registry.fault import one_line

__all__ = ["FORM", "field_names", "in_words", "join", "show"]

FORM = "form: "
"""Begins the tag of a form that a value may have; pydantic puts tags into paths, where nobody wrote them."""


def join(path: str, key: str | int) -> str:
    """The path of `key` inside `path`: ``backbone.model``, ``prompts[1]``."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def in_words(
    error: ValidationError, model: type[BaseModel], prefix: str, names: Sequence[str], owner: str = ""
) -> Iterator[tuple[str, str, Sequence[str]]]:
    """For every line of a pydantic error: its path, what is wrong, and what was probably meant.

    Args:
        error: from validating a value of `model`.
        model: the model.
        prefix: path of the value.
        names: what the fields on its first level may be called.
        owner: the component whose options they are, if they are some.
    """
    for line in error.errors():
        path, loc = prefix, [part for part in line["loc"] if not str(part).startswith(FORM)]
        for part in loc:
            path = join(path, part)
        if line["type"] == "extra_forbidden":
            key = str(loc[-1])
            inner = len(loc) > 1
            near = nearest(key, field_names(_model_at(model, loc[:-1])) if inner else names)
            kind = f"{owner!r} has no option" if owner and not inner else "there is no field"
            yield path, f"{kind} {key!r}", near
        else:
            yield path, *_sentence(line)


def field_names(model: type[BaseModel] | None) -> list[str]:
    """What a configuration calls the fields of a model."""
    fields = model.model_fields if model is not None else {}
    return [field.alias or name for name, field in fields.items()]


def show(value: object) -> str:
    """A value on one line, short, whatever it is."""
    try:
        return one_line(repr(value), 80)
    except Exception:
        return f"a {type(value).__name__}"


def _sentence(line: ErrorDetails) -> tuple[str, Sequence[str]]:
    """A pydantic error as part of a sentence, and what was probably meant."""
    context = line.get("ctx", {})
    given = line["input"]
    if line["type"] == "missing":
        return "it is missing", ()
    if line["type"] in ("value_error", "assertion_error"):
        cause = context.get("error")
        suggestion = getattr(cause, "suggestion", None)
        said = str(cause)
        shown = show(given)
        message = said if shown in said else f"got {shown}: {said}"
        return message, [suggestion] if isinstance(suggestion, str) else ()
    said = line["msg"].replace("Input should be", "expected").replace("Input should", "it should")
    if line["type"] == "literal_error" and isinstance(given, str):
        choices = str(context.get("expected", "")).replace(" or ", ", ").split(", ")
        return f"got {show(given)}, {said}", nearest(given, [choice.strip("'") for choice in choices])
    return f"got {show(given)}, {said[:1].lower()}{said[1:]}", ()


def _model_at(model: type[BaseModel] | None, loc: Sequence[str | int]) -> type[BaseModel] | None:
    """The model whose fields lie at `loc` inside `model`, if it is plain to see."""
    for part in loc:
        if model is None or part not in model.model_fields:
            return None
        options = _within(model.model_fields[str(part)].annotation)
        model = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
    return model


def _within(annotation: object) -> Iterator[object]:
    """An annotation and what it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _within(part)

"""What the value of a prompt's flag looks like, found out from the prompt type itself.

A type says how it reads a flag (`parse`) and gives a valid value (`example`), but not how that value would be
written. So ways to write it are tried, and one counts only if the type reads it back to the same value.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from seemkit.prompting.prompt import Prompt

__all__ = ["flag_example", "flag_form"]

_FORM = re.compile(r"is not of the form (?P<form>.+)$", re.DOTALL)
"""How `seemkit.api.floats` and its like word a refusal."""

_COMMON = {"type", "object", "include"}


def flag_example(kind: type[Prompt]) -> str | None:
    """A value of the flag that the type reads as its `example()`; None if no way to write it is known."""
    try:
        wanted = kind.example()
        fields = {name: getattr(wanted, name) for name in kind.model_fields if name not in _COMMON}
        written = json.dumps(wanted.model_dump(mode="json", exclude=_COMMON | {"object"}))
    except Exception:  # a plugin's example or field may do anything
        return None
    for text in (*_ways_to_write(list(fields.values())), written):
        try:
            if kind.parse(text) == wanted:
                return text
        except Exception:  # and so may its parse: this was not the way
            continue
    return None


def flag_form(kind: type[Prompt]) -> str:
    """The form of the flag's value, ``x,y`` or ``FILE``, as the type words it when it refuses one."""
    try:
        kind.parse("?")
    except Exception as error:
        found = _FORM.search(str(error))
        if found:
            return found["form"].split(" (")[0].split(" or ")[0].strip("'")
        return "FILE" if re.search(r"\bfile\b", str(error)) else "VALUE"
    return "WORDS"


def _ways_to_write(values: Sequence[object]) -> Iterator[str]:
    numbers = [_number(value) for value in values if isinstance(value, int | float)]
    texts = [value for value in values if isinstance(value, str)]
    paths = [path for value in values if (path := _path(value))]
    if texts and len(texts) == len(values) == 1:
        yield texts[0]
    if len(values) == 1 and isinstance(values[0], list | tuple) and _are_texts(values[0]):
        yield ",".join(values[0])
    if numbers and len(numbers) == len(values):
        yield ",".join(numbers)
    if len(paths) == 1:
        yield paths[0]
        yield from (f"{paths[0]}@{number}" for number in numbers)


def _are_texts(values: Sequence[object]) -> TypeGuard[Sequence[str]]:
    return bool(values) and all(isinstance(value, str) for value in values)


def _path(value: object) -> str:
    """``x,y x,y ...`` if the value is a list of points; else nothing."""
    written = []
    for point in value if isinstance(value, list | tuple) else ():
        match point:
            case (int() | float() as x, int() | float() as y):
                written.append(f"{_number(x)},{_number(y)}")
            case _:
                return ""
    return " ".join(written)


def _number(value: float) -> str:
    return f"{value:.10g}"

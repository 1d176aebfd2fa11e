"""Reading prompts from command-line flags: numbers, points, and the object that a flag names."""

import math
import re

from seemkit.errors import PromptError

__all__ = ["floats", "points_of", "split_flag"]

_NAMED = re.compile(r"^(?P<name>[^\W\d][\w -]{0,99}):(?P<value>.+)$", re.DOTALL)


def floats(text: str, counts: tuple[int, ...] | None = None, *, flag: str, form: str) -> list[float]:
    """The numbers of `120,80` (commas or blanks), all finite; `counts` are the allowed lengths.

    Raises:
        PromptError: in one sentence that names the flag, what was given and the form expected.
    """
    try:
        values = [float(part) for part in re.split(r"[,;\s]+", text.strip()) if part]
    except ValueError:
        values = []
    if not values or not all(map(math.isfinite, values)) or (counts and len(values) not in counts):
        raise PromptError(f"--{flag} {text!r} is not of the form {form}", path=flag)
    return values


def split_flag(text: str) -> tuple[str | None, str]:
    """Split `dog:120,80` into the object it names and the value; the name starts with a letter."""
    found = _NAMED.match(text)
    return (found["name"], found["value"]) if found else (None, text)


def points_of(text: str, *, flag: str, form: str) -> list[tuple[float, float]]:
    """The points of `12,30 40,35 60,20`: an even number of finite numbers, one point at least."""
    values = floats(text, flag=flag, form=form)
    if len(values) % 2:
        raise PromptError(
            f"--{flag} {text!r} has {len(values)} numbers, which are no pairs: expected {form}", path=flag
        )
    return list(zip(values[::2], values[1::2], strict=True))

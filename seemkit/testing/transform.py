"""Mirroring and enlarging the image under a prompt, for types whose fields tell how."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from seemkit.errors import PromptError
from seemkit.prompting.prompt import Prompt

__all__ = ["enlarged", "mirrored"]

COMMON = ("type", "object", "include")
ACROSS = ("x", "x1", "x2", "cx", "left", "right")
DOWN = ("y", "y1", "y2", "cy", "top", "bottom")
LENGTHS = ("width", "height", "radius", "size", "length")
SWAPPED = {"x1": "x2", "x2": "x1", "left": "right", "right": "left"}


def mirrored(prompt: Prompt, width: int) -> Prompt | None:
    """The prompt on the image of `width` pixels mirrored left to right; None if a field does not tell how."""

    def move(name: str, value: float) -> float:
        return width - value if name in ACROSS else value

    moved = _moved(prompt, move, lambda points: [(width - x, y) for x, y in points], lambda m: m[:, ::-1])
    if moved is None:
        return None
    return _made(prompt, {SWAPPED.get(name, name): value for name, value in moved.items()})


def enlarged(prompt: Prompt, factor: int) -> Prompt | None:
    """The prompt on the image enlarged by an integer; None if a field does not tell how."""
    moved = _moved(
        prompt,
        lambda name, value: factor * value,
        lambda points: [(factor * x, factor * y) for x, y in points],
        lambda m: m.repeat(factor, 0).repeat(factor, 1),
    )
    return None if moved is None else _made(prompt, moved)


Points = list[tuple[float, float]]


def _moved(
    prompt: Prompt,
    number: Callable[[str, float], float],
    points: Callable[[Points], Points],
    mask: Callable[[NDArray[np.bool_]], NDArray[np.bool_]],
) -> dict[str, object] | None:
    moved: dict[str, object] = {}
    for name in type(prompt).model_fields:
        value = getattr(prompt, name)
        if name in COMMON or isinstance(value, str | bool) or value is None:
            moved[name] = value
        elif isinstance(value, int | float) and name in (*ACROSS, *DOWN, *LENGTHS):
            moved[name] = number(name, value)
        elif isinstance(value, np.ndarray) and value.dtype == np.bool_ and value.ndim == 2:
            moved[name] = mask(value)
        elif _are_points(value):
            moved[name] = points(value)
        else:
            return None
    return moved


def _are_points(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) > 0
        and all(isinstance(p, list | tuple) and len(p) == 2 and _are_numbers(p) for p in value)
    )


def _are_numbers(pair: object) -> bool:
    return isinstance(pair, list | tuple) and all(isinstance(n, int | float) for n in pair)


def _made(prompt: Prompt, fields: Mapping[str, object]) -> Prompt | None:
    try:
        return type(prompt)(**fields)
    except (PromptError, ValidationError):  # such as a limit on a width
        return None

"""Field type for lists of points: sequences or (n, 2) arrays come in, tuples of finite (x, y) are kept."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, AllowInfNan, BeforeValidator, Field

__all__ = ["MAX_POINTS", "Points"]

MAX_POINTS = 4096
"""The longest list of points that a prompt takes."""


def _read_array(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [point.tolist() if isinstance(point, np.ndarray) else point for point in value]
    return value


def _freeze(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    return tuple(points)


Points = Annotated[
    Sequence[tuple[Annotated[float, AllowInfNan(False)], Annotated[float, AllowInfNan(False)]]],
    Field(min_length=1, max_length=MAX_POINTS, description="pairs (x, y), in pixels of the image"),
    BeforeValidator(_read_array),
    AfterValidator(_freeze),
]
"""One to `MAX_POINTS` points (x, y) in pixels of the original image, finite; kept as a tuple of pairs."""

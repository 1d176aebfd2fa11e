"""The sentences about wrong fields say each thing once, and without the words of the library beneath."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from seemkit.api import Prompt, PromptError
from seemkit.prompts import Box, Mask, Point, Polygon, Reference, Text

PIXELS = np.zeros((5, 5, 3), np.uint8)


def build(kind: type[Prompt], **fields: Any) -> Prompt:
    """Build a prompt of fields that a type checker would refuse."""
    return kind(**fields)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Box(x1=7, y1=0, x2=3, y2=2), "box x2=3 must be larger than x1=7"),
        (lambda: Text(text=" "), "text ' ' is empty, expected a word at least"),
        (lambda: Polygon(points=[(1, 1)]), "polygon has 1 different corners, expected 3 at least"),
        (
            lambda: build(Box, x0=1, y0=1, x1=3, y1=3),
            "box: a box has no field 'x0' and needs 'x2'; its fields are object, include, x1, y1, x2, y2",
        ),
        (lambda: build(Point, x=1, Y=3), "point: a point has no field 'Y'; did you mean 'y'?"),
        (lambda: build(Polygon, points=None), "polygon.points is None, expected a list"),
        (lambda: build(Polygon, points="abc"), "polygon.points is 'abc', expected a list"),
        (lambda: build(Polygon, points=[1, 2]), "polygon.points[0] is 1, expected a tuple such as (x, y)"),
        (
            lambda: build(Reference, image=PIXELS, prompts=Point(x=1, y=1)),
            "reference.prompts is Point(type='point', object='1', include=True, x=1.0, y=1.0), expected a list",
        ),
        (lambda: build(Mask, mask=None), "mask: expected a (H, W) array or run lengths, not a NoneType"),
        (
            lambda: build(Mask, mask="m.png"),
            "mask: expected a (H, W) array or run lengths, not a str: read the file first, for instance by "
            "numpy.asarray(PIL.Image.open(path))",
        ),
    ],
)
def test_sentence(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(PromptError) as caught:
        make()
    assert str(caught.value) == sentence

"""Prompts drawn on a picture: discs, boxes, strokes, outlines and chips, by what their type declares.

What a prompt looks like follows from its class variable ``draw`` and its fields, never from its name, so that
prompts of plugins appear too. What includes is green and has a plus, what excludes is red and has a minus.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from seemkit.imaging.lettering import chip, letter_size
from seemkit.imaging.palette import EXCLUDE, INCLUDE, RGB

__all__ = ["draw_marks"]

Box = tuple[int, int, int, int]
Points = list[tuple[float, float]]

_WHITE: RGB = (255, 255, 255)
_CHIP: RGB = (32, 35, 42)


def draw_marks(picture: Image.Image, prompts: Sequence[object]) -> list[Box]:
    """Draw prompts on an RGB picture, in its pixels; texts and references become chips in a corner.

    Returns:
        (x0, y0, x1, y1) of what labels should not cover: points, and the chips.
    """
    taken: list[Box] = []
    pixels = picture.width * picture.height
    unit = max(1.0, pixels**0.5 / 300)  # pixels of a fine line
    fine = 4 if pixels < 1_500_000 else 2 if pixels < 6_000_000 else 1
    pen = _Pen(picture.size, unit, fine)
    for prompt in sorted(
        prompts, key=lambda p: _kind(p, picture.size) == "point"
    ):  # points last, on top of areas
        taken += pen.draw(prompt)
    pen.lay_on(picture)
    return taken + _draw_chips(picture, [p for p in prompts if _kind(p, picture.size) == "chip"], taken)


class _Pen:
    """Draws on a layer `fine` times as large as the picture, so that edges come out smooth."""

    def __init__(self, size: tuple[int, int], unit: float, fine: int) -> None:
        self.unit, self.fine, self.size = unit, fine, size
        self.layer = Image.new("RGBA", (size[0] * fine, size[1] * fine))
        self.pencil = ImageDraw.Draw(self.layer)
        self.used = False

    def draw(self, prompt: object) -> list[Box]:
        kind, colour = _kind(prompt, self.size), _colour(prompt)
        if kind == "chip":
            return []
        self.used = True
        if kind == "point":
            x, y = (float(getattr(prompt, name)) for name in ("x", "y"))
            return [self._disc(x, y, colour, plus=_includes(prompt))]
        if kind == "mask":
            self._outline(np.asarray(getattr(prompt, "mask", None), np.float32) > 0, colour)
        elif kind == "box":
            x1, y1, x2, y2 = (float(getattr(prompt, name)) for name in ("x1", "y1", "x2", "y2"))
            self._line([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], 1.6 * self.unit, colour, closed=True)
        elif kind == "polygon":
            self._line(_points(prompt), 1.6 * self.unit, colour, closed=True)
        else:
            width = getattr(prompt, "width", None)
            self._line(_points(prompt), max(float(width or 0), 2.5 * self.unit), colour, closed=False)
        return []

    def lay_on(self, picture: Image.Image) -> None:
        if self.used:
            layer = self.layer.resize(self.size, Image.Resampling.BOX) if self.fine > 1 else self.layer
            picture.paste(layer, (0, 0), layer)

    def _disc(self, x: float, y: float, colour: RGB, *, plus: bool) -> Box:
        reach = 5.0 * self.unit
        self._ellipse(x, y, reach + 1.2 * self.unit, _WHITE)
        self._ellipse(x, y, reach, colour)
        arm, half = 0.55 * reach, 0.15 * reach
        self._rectangle(x - arm, y - half, x + arm, y + half)
        if plus:
            self._rectangle(x - half, y - arm, x + half, y + arm)
        return int(x - reach), int(y - reach), int(x + reach) + 1, int(y + reach) + 1

    def _line(self, points: Points, width: float, colour: RGB, *, closed: bool) -> None:
        rim = 0.9 * self.unit
        path = [(x * self.fine, y * self.fine) for x, y in points]
        path = path + path[:2] if closed else path
        for extra, tone in ((2 * rim, _WHITE), (0.0, colour)):
            thick = max(round((width + extra) * self.fine), 1)
            self.pencil.line(path, fill=(*tone, 255), width=thick, joint="curve")
            if not closed:
                for x, y in (path[0], path[-1]):
                    self._ellipse(x / self.fine, y / self.fine, thick / 2 / self.fine, tone)

    def _outline(self, mask: NDArray[np.bool_], colour: RGB) -> None:
        from seemkit.results.polygons import mask_to_rings

        for ring in mask_to_rings(mask):
            self._line(ring, 1.6 * self.unit, colour, closed=True)

    def _ellipse(self, x: float, y: float, reach: float, colour: RGB) -> None:
        box = tuple(value * self.fine for value in (x - reach, y - reach, x + reach, y + reach))
        self.pencil.ellipse(box, fill=(*colour, 255))

    def _rectangle(self, x0: float, y0: float, x1: float, y1: float) -> None:
        box = tuple(value * self.fine for value in (x0, y0, x1, y1))
        self.pencil.rectangle(box, fill=(*_WHITE, 255))


def _draw_chips(picture: Image.Image, prompts: Sequence[object], taken: Sequence[Box]) -> list[Box]:
    """Stack a chip for each prompt in the corner where they cover least of what is `taken`."""
    size = letter_size((picture.height, picture.width))
    gap = max(2, size // 3)
    plates = [chip(_say(p), _CHIP, size, picture.width * 0.9, dot=_colour(p)) for p in prompts]
    shown: list[Image.Image] = []
    high = gap
    for plate in plates:
        if plate is not None and high + plate.height + gap <= picture.height:
            shown.append(plate)
            high += plate.height + gap // 2
    stacks = [_stack(shown, picture.size, gap, corner) for corner in ("sw", "se", "nw", "ne")]
    best = min(stacks, key=lambda boxes: sum(_meets(box, other) for box in boxes for other in taken))
    for plate, box in zip(shown, best, strict=True):
        picture.paste(plate, box[:2], plate)
    return best


def _stack(plates: Sequence[Image.Image], size: tuple[int, int], gap: int, corner: str) -> list[Box]:
    boxes: list[Box] = []
    high = sum(plate.height + gap // 2 for plate in plates) - gap // 2
    y = gap if corner[0] == "n" else size[1] - gap - high
    for plate in plates:
        x = gap if corner[1] == "w" else size[0] - gap - plate.width
        boxes.append((x, y, x + plate.width, y + plate.height))
        y += plate.height + gap // 2
    return boxes


def _meets(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _kind(prompt: object, size: tuple[int, int]) -> str:
    """point, box, stroke, polygon, mask or chip: what the type declares if its fields allow it."""
    declared = getattr(prompt, "draw", "none")
    possible = list(_possible(prompt, size))
    if declared in possible:
        return str(declared)
    return possible[0] if declared == "none" and possible else "chip"


def _possible(prompt: object, size: tuple[int, int]) -> Iterator[str]:
    if hasattr(prompt, "x") and hasattr(prompt, "y"):
        yield "point"
    if all(hasattr(prompt, name) for name in ("x1", "y1", "x2", "y2")):
        yield "box"
    if _points(prompt):
        yield from ("stroke", "polygon")
    if getattr(getattr(prompt, "mask", None), "shape", None) == (size[1], size[0]):
        yield "mask"


def _points(prompt: object) -> Points:
    try:
        array = np.asarray(getattr(prompt, "points", ()), np.float64)
    except (TypeError, ValueError):
        return []
    return [(float(x), float(y)) for x, y in array] if array.ndim == 2 and array.shape[1] == 2 else []


def _say(prompt: object) -> str:
    text = getattr(prompt, "text", None)
    if isinstance(text, str):
        return f'"{text}"' if _includes(prompt) else f'not "{text}"'
    name = str(getattr(prompt, "type", type(prompt).__name__.lower()))
    return name if _includes(prompt) else f"not {name}"


def _includes(prompt: object) -> bool:
    return bool(getattr(prompt, "include", True))


def _colour(prompt: object) -> RGB:
    return INCLUDE if _includes(prompt) else EXCLUDE

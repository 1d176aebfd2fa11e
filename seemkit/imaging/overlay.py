"""Results drawn on photos: a tinted area, a crisp outline and a label for every mask, the prompts on top."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seemkit.imaging.lettering import chip, letter_size
from seemkit.imaging.marks import draw_marks
from seemkit.imaging.palette import RGB

__all__ = ["Layer", "draw_overlay", "line_width"]

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Layer:
    """One mask to draw.

    Attributes:
        mask: (H, W) bool at the size of the image.
        colour: of its area, outline and label.
        caption: what its label says; None for no label.
    """

    mask: NDArray[np.bool_]
    colour: RGB
    caption: str | None = None


def draw_overlay(
    image: NDArray[np.uint8],
    layers: Sequence[Layer],
    *,
    outline: bool = True,
    labels: bool = True,
    alpha: float = 0.5,
    prompts: Sequence[object] = (),
) -> Image.Image:
    """Draw masks, their labels and prompts on an image (H, W, 3) uint8 RGB.

    Args:
        image: the photo; it is not changed.
        layers: the masks; large ones are drawn first, so that none hides a smaller one.
        outline: whether masks get an outline, of `line_width` pixels.
        labels: whether captions are drawn.
        alpha: how strongly areas are tinted, from 0 to 1.
        prompts: what was given, drawn on top (see :func:`seemkit.imaging.marks.draw_marks`).
    """
    canvas = image.astype(np.float32)
    width = line_width((image.shape[0], image.shape[1]))
    shown = [layer for layer in layers if layer.mask.any()]
    shown.sort(key=lambda layer: -int(layer.mask.sum()))
    for layer in shown:
        _tint(canvas, layer, alpha)
    if outline:
        for layer in shown:
            _outline(canvas, layer, width)
    picture = Image.fromarray((canvas + 0.5).clip(0, 255).astype(np.uint8))
    avoid = draw_marks(picture, prompts) if prompts else []
    if labels:
        _label(picture, list(reversed(shown)), avoid)
    return picture


def line_width(size: tuple[int, int]) -> int:
    """Pixels of an outline on an image of (H, W): 2 on a small photo, more on one that is shown smaller."""
    short = min(size)
    return 1 if short < 120 else max(2, round(short / 260))


def _tint(canvas: NDArray[np.float32], layer: Layer, alpha: float) -> None:
    x0, y0, x1, y1 = _bounds(layer.mask, 0)
    part, inside = canvas[y0:y1, x0:x1], layer.mask[y0:y1, x0:x1]
    part[inside] += (np.array(layer.colour, np.float32) - part[inside]) * alpha


def _outline(canvas: NDArray[np.float32], layer: Layer, width: int) -> None:
    """A line of the colour along the inner edge, with a thin dark one outside that sets it off."""
    from scipy.ndimage import distance_transform_edt

    if layer.mask.all():
        return
    x0, y0, x1, y1 = _bounds(layer.mask, width + 2)
    part, inside = canvas[y0:y1, x0:x1], layer.mask[y0:y1, x0:x1]
    # Beyond the border of the image the mask is taken to go on: the border gets no line.
    within = distance_transform_edt(np.pad(inside, 1, mode="edge"))[1:-1, 1:-1] - 0.5
    beyond = distance_transform_edt(np.pad(~inside, 1, mode="edge"))[1:-1, 1:-1] - 0.5
    edge = np.where(inside, within, -beyond)  # distance to the edge in pixels, positive inside
    thin = max(1.0, width / 2.5)
    halo = 0.55 * (edge < 0) * (thin + 0.5 + edge).clip(0, 1)
    part *= (1 - halo)[..., None]
    line = np.where(edge > 0, width + 0.5 - edge, 0.5 + edge).clip(0, 1)
    bright = np.array(layer.colour, np.float32)
    part += (bright - part) * line[..., None].astype(np.float32)


def _label(picture: Image.Image, layers: Sequence[Layer], taken: list[Box]) -> None:
    size = letter_size((picture.height, picture.width))
    taken = list(taken)
    for layer in layers:
        if not layer.caption:
            continue
        plate = chip(layer.caption, layer.colour, size, picture.width * 0.9)
        if plate is None or plate.height > picture.height / 3:
            continue
        spot = _spot(layer.mask, (plate.width, plate.height), picture.size, taken)
        taken.append((*spot, spot[0] + plate.width, spot[1] + plate.height))
        picture.paste(plate, spot, plate)


def _spot(
    mask: NDArray[np.bool_], plate: tuple[int, int], picture: tuple[int, int], taken: Sequence[Box]
) -> tuple[int, int]:
    """Where a label of `plate` (width, height) covers least of what was drawn: above, inside, below, ..."""
    wide, high = plate
    x0, y0, x1, y1 = _bounds(mask, 0)
    gap = max(2, high // 6)
    middle = int(np.flatnonzero(mask[y0]).mean())
    rows, columns = np.nonzero(mask[y0:y1, x0:x1])
    centre = x0 + int(np.median(columns)), y0 + int(np.median(rows))
    wanted = [
        (middle - wide // 2, y0 - high - gap),
        (centre[0] - wide // 2, y0 + gap),
        (centre[0] - wide // 2, centre[1] - high // 2),
        (centre[0] - wide // 2, y1 + gap),
        (x0 + gap, y0 + gap),
        (x1 - wide - gap, y1 - high - gap),
        (x1 + gap, centre[1] - high // 2),
        (x0 - wide - gap, centre[1] - high // 2),
    ]
    best, least = (0, 0), np.inf
    for rank, (x, y) in enumerate(wanted):
        left = min(max(x, gap), max(picture[0] - wide - gap, 0))
        top = min(max(y, gap), max(picture[1] - high - gap, 0))
        here = (left, top, left + wide, top + high)
        moved = (abs(left - x) + abs(top - y)) / high
        cost = sum(_shared(here, box) for box in taken) / (wide * high) * 20 + moved + 0.5 * rank
        if cost < least:
            best, least = (left, top), cost
    return best


def _shared(a: Box, b: Box) -> int:
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)


def _bounds(mask: NDArray[np.bool_], margin: int) -> Box:
    """(x0, y0, x1, y1) around a mask that is not empty, with a margin, clipped to the image."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    height, width = mask.shape
    return (
        max(int(columns[0]) - margin, 0),
        max(int(rows[0]) - margin, 0),
        min(int(columns[-1]) + 1 + margin, width),
        min(int(rows[-1]) + 1 + margin, height),
    )

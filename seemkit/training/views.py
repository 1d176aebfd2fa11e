"""Random views of training pictures: flip, scale, crop and colour on a square canvas, masks alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from seemkit.training.pictures import Picture

__all__ = ["View", "random_view"]


@dataclass(frozen=True, eq=False)
class View:
    """A picture on a canvas of S x S pixels, padded right and bottom.

    Attributes:
        image: (S, S, 3) uint8; the padding is undefined, `valid` says where the picture is.
        masks: (n, S, S) bool of the chosen instances; never empty.
        chosen: their indices in the picture.
        valid: (height, width) of the picture on the canvas.
        picture: where it comes from.
        visible: (m, S, S) bool of every instance that can be seen, for pictures annotated completely.
        visible_index: their indices in the picture.
    """

    image: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    chosen: tuple[int, ...]
    valid: tuple[int, int]
    picture: Picture
    visible: NDArray[np.bool_] | None = None
    visible_index: tuple[int, ...] = ()


def random_view(
    picture: Picture,
    size: int,
    count: int,
    rng: np.random.Generator,
    *,
    every: bool = False,
    smallest: int = 24,
) -> View:
    """One view with `count` of its objects (some twice if it has fewer), or all of them with `every`.

    The longer side becomes 0.75 to 1.4 times the canvas; what does not fit is cropped around an object. An
    object of fewer than `smallest` pixels on the canvas is not chosen if there is a larger one.
    """
    height, width = picture.image.shape[:2]
    for attempt in range(8):
        scale = size / max(height, width) * (rng.uniform(0.75, 1.4) if attempt < 7 else 1.0)
        focus = int(rng.integers(len(picture.instances)))
        rows, columns = np.nonzero(picture.mask(focus))
        pick = int(rng.integers(len(rows)))
        window = []
        for length, centre in ((width, columns[pick]), (height, rows[pick])):
            span = min(size / scale, length)
            start = float(np.clip(centre - rng.uniform(0.2, 0.8) * span, 0, length - span))
            window.append((start, start + span))
        (left, right), (top, bottom) = window
        out = (max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1))
        out = (min(out[0], size), min(out[1], size))
        box = (left, top, right, bottom)
        masks = {}
        for index in range(len(picture.instances)):
            full = Image.fromarray(picture.mask(index)).convert("L")
            mask = np.asarray(full.resize(out, Image.Resampling.BILINEAR, box=box)) >= 128
            if mask.sum() >= smallest:
                masks[index] = mask
        if masks:
            break
    else:
        if smallest > 1:
            return random_view(picture, size, count, rng, every=every, smallest=1)
        speck = np.zeros((out[1], out[0]), bool)  # too small to survive: the pixel it lies in
        row, column = int((rows[pick] + 0.5 - top) * scale), int((columns[pick] + 0.5 - left) * scale)
        speck[min(row, out[1] - 1), min(column, out[0] - 1)] = True
        masks = {focus: speck}
    photo = Image.fromarray(picture.image).resize(out, Image.Resampling.BILINEAR, box=box)
    if rng.random() < 0.7:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            photo = enhance(photo).enhance(float(rng.uniform(0.7, 1.3)))
    image = np.asarray(photo)
    if rng.random() < 0.5:
        image = image[:, ::-1]
        masks = {index: mask[:, ::-1] for index, mask in masks.items()}
    found = np.array(sorted(masks))
    if every:
        chosen = found
    else:
        order = rng.permutation(found)
        chosen = order[np.arange(count) % len(order)]
    canvas = np.zeros((size, size, 3), np.uint8)
    canvas[: out[1], : out[0]] = image
    stack = np.zeros((len(chosen), size, size), bool)
    for i, index in enumerate(chosen):
        stack[i, : out[1], : out[0]] = masks[int(index)]
    visible = None
    if picture.complete:
        visible = np.zeros((len(found), size, size), bool)
        for i, index in enumerate(found):
            visible[i, : out[1], : out[0]] = masks[int(index)]
    return View(
        canvas,
        stack,
        tuple(int(i) for i in chosen),
        (out[1], out[0]),
        picture,
        visible,
        tuple(int(i) for i in found) if picture.complete else (),
    )

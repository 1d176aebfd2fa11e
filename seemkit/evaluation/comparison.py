"""An answer beside the truth, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

    from seemkit.imaging.overlay import Layer

__all__ = ["compare", "named_layers", "one_layer"]


def compare(
    image: NDArray[np.uint8],
    truth: Sequence[Layer],
    answer: Sequence[Layer],
    title: str,
    prompts: Sequence[object] = (),
) -> Image.Image:
    """Two tiles on one sheet: what is right, and what was answered with the prompts on it.

    Args:
        image: (H, W, 3).
        truth: what is right.
        answer: what was answered.
        title: over the answer: what was asked, and how good it is.
        prompts: what was given.
    """
    from seemkit.imaging.overlay import draw_overlay
    from seemkit.imaging.sheet import sheet

    real = draw_overlay(image, truth)
    made = draw_overlay(image, answer, prompts=prompts)
    return sheet([("truth", real), (title, made)], columns=2)


def one_layer(mask: NDArray[np.bool_]) -> list[Layer]:
    """A mask (H, W) without a caption."""
    return named_layers([mask], [None])


def named_layers(
    masks: Sequence[NDArray[np.bool_]], names: Sequence[str | None], order: Sequence[str | None] = ()
) -> list[Layer]:
    """Masks (H, W) with captions, in one colour for one caption.

    Args:
        masks: to draw.
        names: the caption of each, or None.
        order: captions whose colours come first, so that two pictures can agree.
    """
    from seemkit.imaging.overlay import Layer
    from seemkit.imaging.palette import colour

    known = list(dict.fromkeys((*order, *names)))
    return [Layer(mask, colour(known.index(name)), name) for mask, name in zip(masks, names, strict=True)]

"""A view: a random look at a picture on a square canvas, with the objects that can be seen in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Target", "View"]


@dataclass(frozen=True, eq=False)
class Target:
    """An object in a view.

    Attributes:
        mask: (S, S) bool; never empty, and never on the padding.
        place: of the object in its picture, from 0 on: the same in all views of it.
        name: its category; None if that is not known.
        texts: what refers to it and to nothing else in the picture: phrases, and its name where that is unique.
        key: the data set's own name of it; may be empty.
    """

    mask: NDArray[np.bool_]
    place: int
    name: str | None = None
    texts: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True, eq=False)
class View:
    """A picture on a canvas of S x S pixels, padded right and bottom.

    Attributes:
        image: (S, S, 3) uint8; the padding is undefined, `valid` says where the picture is.
        valid: (height, width) of the picture on the canvas.
        targets: what can be seen, by place.
        chosen: index in `targets` of the n objects that are asked for; some twice where there are fewer.
        source: which data set it is of.
        complete: whether every object of the data set's categories is among the targets.
        key: of the picture.
        ignored: (S, S) bool, pixels that count neither way; None if all count.
        photo: (k S, k S, 3) uint8, the same k times as large, for a closer look; None where nobody takes one.
    """

    image: NDArray[np.uint8]
    valid: tuple[int, int]
    targets: tuple[Target, ...]
    chosen: tuple[int, ...]
    source: int = 0
    complete: bool = False
    key: str = ""
    ignored: NDArray[np.bool_] | None = None
    photo: NDArray[np.uint8] | None = None

    @property
    def counted(self) -> NDArray[np.bool_]:
        """(S, S), the pixels that losses look at: those of the picture, but for what is ignored."""
        out = np.zeros(self.image.shape[:2], bool)
        out[: self.valid[0], : self.valid[1]] = True
        return out if self.ignored is None else out & ~self.ignored

    @property
    def asked(self) -> tuple[Target, ...]:
        """The n objects that are asked for."""
        return tuple(self.targets[index] for index in self.chosen)

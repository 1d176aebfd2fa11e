"""What a click protocol is: it knows the truth, sees each answer, and says what is clicked next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from seemkit.training.clicks import depth

if TYPE_CHECKING:
    from seemkit.geometry.grid import Grid
    from seemkit.prompting.prompt import Prompt

__all__ = ["Click", "Clicker", "Jitter", "Seen"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Click:
    """What a simulated user does next.

    Attributes:
        x: in pixels of the original image, at the centre of the pixel that is clicked.
        y: as x.
        positive: whether it is on something that was missed.
        area: the error (H, W) that is clicked, on the original image.
    """

    x: float
    y: float
    positive: bool
    area: Mask


@dataclass(frozen=True, eq=False)
class Seen:
    """An answer as protocols look at it: (H, W) of the original image, and on demand the input grid."""

    mask: Mask
    on_grid: Callable[[], Mask]


@dataclass(frozen=True, eq=False)
class Jitter:
    """An unsteady hand: a click falls anywhere within a disc around the pixel that was meant.

    Attributes:
        share: radius of the disc, as a share of how deep the pixel lies in the error; below 1 it stays there.
        rng: draws the pixel.
    """

    share: float
    rng: np.random.Generator

    def move(self, row: int, column: int, error: Mask, allowed: Mask) -> tuple[int, int]:
        """Another pixel (row, column) of `error` (H, W) near the one given; itself if none is allowed."""
        reach = self.share * float(depth(error)[row, column])
        rows, columns = np.nonzero(error & allowed)
        near = np.flatnonzero((rows - row) ** 2 + (columns - column) ** 2 <= reach**2)
        if not len(near):
            return row, column
        chosen = near[self.rng.integers(len(near))]
        return int(rows[chosen]), int(columns[chosen])


class Clicker(ABC):
    """Clicks on one object until nobody is to click any more.

    Args:
        truth: (H, W) the object, in pixels of the original image.
        ignore: (H, W) pixels that are no error, whatever is selected there.
        grid: the input grid of the scene.
        jitter: an unsteady hand, if any.
    """

    name: ClassVar[str]
    """What figures call the protocol."""
    rounds_without_click: ClassVar[bool] = False
    """Whether a round follows if nothing is left to click; else the last answer stands."""

    def __init__(self, truth: Mask, ignore: Mask, grid: Grid, jitter: Jitter | None = None) -> None:
        self.truth = truth
        self.ignore = ignore
        self.grid = grid
        self.jitter = jitter

    @abstractmethod
    def next(self, seen: Seen | None) -> Click | None:
        """The next click after an answer, None before the first; None if there is nothing to click."""

    def told(self, prompt: Prompt) -> None:
        """A prompt was given that is no click of this protocol, such as the first one."""
        del prompt

    def satisfied(self, iou: float) -> bool:
        """Whether the conversation ends at this IoU; the figures of later rounds are then those of this one."""
        del iou
        return False

    def _steady(self, row: int, column: int, error: Mask, allowed: Mask) -> tuple[int, int]:
        return (row, column) if self.jitter is None else self.jitter.move(row, column, error, allowed)

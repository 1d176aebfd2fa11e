"""What a process learns from at once: views with their cells, and how many of everything a step has in all."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np
import torch
from torch import Tensor

from seemkit.imaging.preprocess import Preprocess
from seemkit.training.cell import Cell
from seemkit.training.view import View

__all__ = ["Batch", "Divisors", "normalise"]


@dataclass(frozen=True)
class Divisors:
    """How many of everything a step has, over all processes and parts: what sums of losses are divided by.

    Attributes:
        visual: objects asked for by what is seen.
        text: objects asked for in words.
        emphasis: sum of the weights of the object queries in their cross entropy.
        masks: objects of complete pictures.
    """

    visual: float = 0.0
    text: float = 0.0
    emphasis: float = 0.0
    masks: float = 0.0

    def __add__(self, other: "Divisors") -> "Divisors":
        return Divisors(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def cells(self) -> float:
        """All objects that are asked for."""
        return self.visual + self.text

    def to_tensor(self, device: torch.device) -> Tensor:
        """(4,) float64, to be summed over processes."""
        return torch.tensor(astuple(self), dtype=torch.float64, device=device)

    @classmethod
    def from_tensor(cls, values: Tensor) -> "Divisors":
        """What `to_tensor` gave."""
        return cls(*map(float, values[: len(fields(cls))].tolist()))


@dataclass(frozen=True, eq=False)
class Batch:
    """B views and their B * n cells.

    Attributes:
        views: view 2 k + 1 is the partner of view 2 k where `paired`.
        cells: view by view.
        seeds: one for each view, of the points that its losses are taken at.
        paired: whether views come in pairs of one picture.
    """

    views: tuple[View, ...]
    cells: tuple[Cell, ...]
    seeds: tuple[int, ...]
    paired: bool

    @classmethod
    def join(cls, parts: Iterable["Batch"]) -> "Batch":
        """Batches one after another."""
        given = list(parts)
        return cls(
            tuple(view for part in given for view in part.views),
            tuple(cell for part in given for cell in part.cells),
            tuple(seed for part in given for seed in part.seeds),
            all(part.paired for part in given),
        )


def normalise(
    views: Sequence[View], preprocess: Preprocess, device: torch.device, nearness: int = 0
) -> Tensor:
    """Views to (B, 3, S, S): normalised as the assembly does, then zero outside of the picture.

    Args:
        views: the views.
        preprocess: of the assembly.
        device: where to.
        nearness: k, for the photos (B, 3, k S, k S) of a closer look; 0 for what is looked at first.
    """
    taken = [view.photo for view in views if view.photo is not None] if nearness else [v.image for v in views]
    assert len(taken) == len(views), "views for a network that looks closer have photos"
    pixels = torch.from_numpy(np.stack(taken)).to(device, non_blocking=True)
    images = pixels.permute(0, 3, 1, 2).float()
    mean, std = (torch.tensor(x, device=device).view(3, 1, 1) for x in (preprocess.mean, preprocess.std))
    images = (images - mean) / std
    for image, view in zip(images, views, strict=True):
        height, width = (max(nearness, 1) * side for side in view.valid)
        image[:, height:] = 0
        image[:, :, width:] = 0
    return images

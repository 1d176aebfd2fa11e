"""The nested candidates of an object: whole, part and subpart, where the rows of the decoder offer them.

Nothing here knows what a part is. Among the candidate rows, those are taken that lie one within the other and hold
what was pointed at; the answer itself is always one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seemkit.geometry.grid import Grid
from seemkit.network.transfer import fetch, send
from seemkit.prompting.prompt import SpatialPrompt

__all__ = ["MOST", "nested_rows", "pointed_at"]

Numbers = NDArray[np.floating]

MOST = 3
"""Levels: whole, part, subpart."""
WITHIN = 0.9
"""Share of the pixels of the smaller mask that lie in the larger one."""
SMALLER = 0.75
"""Area of the smaller mask at most, as a share of the larger one's; else they are the same level."""
HELD = 0.5
"""Share of what was pointed at that a mask has to hold."""


def nested_rows(logits: Tensor, pointed: Tensor | None = None) -> list[int]:
    """Rows that lie one within the other, the largest first; row 0 is one of them.

    Args:
        logits: (k, h, w) masks at stride 4, likeliest first.
        pointed: (h, w) bool on the host, what was pointed at; None if nothing was.
    """
    masks = (logits > 0).flatten(1).float()  # k x h * w
    spots = torch.zeros_like(masks[0]) if pointed is None else send(pointed.flatten().float(), masks.device)
    areas, shared, held, wanted = fetch((masks.sum(1), masks @ masks.T, masks @ spots, spots.sum()))
    fits = (areas > 0) & (held >= HELD * wanted)
    chain = [0]
    for row in range(1, len(masks)):
        if len(chain) == MOST:
            break
        if fits[row] and all(_nested(row, other, areas, shared) for other in chain):
            chain.append(row)
    return sorted(chain, key=lambda row: -float(areas[row]))


def pointed_at(prompts: Sequence[SpatialPrompt], grid: Grid, cells: tuple[int, int]) -> Tensor:
    """(h, w) cells at stride 4 that hold pixels which prompts select and that are of the object.

    Args:
        prompts: of one object; those that exclude, or only say where it lies within, count nothing.
        grid: the input grid.
        cells: (h, w).
    """
    pointed = torch.zeros(cells, dtype=torch.bool)
    for prompt in prompts:
        region = prompt.region(grid)
        if region.include and region.kind == "exact":
            rows, columns = (torch.from_numpy(axis // 4) for axis in region.mask.nonzero())
            pointed[rows.clamp(max=cells[0] - 1), columns.clamp(max=cells[1] - 1)] = True
    return pointed


def _nested(a: int, b: int, areas: Numbers, shared: Numbers) -> bool:
    small, large = sorted((float(areas[a]), float(areas[b])))
    return 0 < small <= SMALLER * large and float(shared[a, b]) >= WITHIN * small

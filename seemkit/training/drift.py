"""Memory of another frame: what a round remembers is moved, as an object moves from one picture of a video to the next.

SEEM follows objects without training on video (section 4): a reference says what to look for, and the mask of the frame
before limits where memory looks. Where a round is trained with the exact mask of its own picture alone, it learns to
trust that mask too much. (Perazzi et al., "Learning video object segmentation from static images", CVPR 2017, section
3.1, deform masks likewise.)
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from seemkit.training.cell import Cell

__all__ = ["drift", "drifting"]

GROWTH = 0.1
"""An object becomes at most so much larger or smaller."""


def drifting(cells: Sequence[Cell], share: float) -> list[bool]:
    """Which cells are followed from one frame to the next: half of those that are shown an object in another view."""
    return [share > 0 and cell.follows for cell in cells]


def drift(remembered: Tensor, cells: Sequence[Cell], share: float) -> Tensor:
    """Move what followed cells remember.

    Args:
        remembered: (N, h, w) logits of the round before.
        cells: N, each with its own draws.
        share: of the canvas that it is moved at most, in x and in y.

    Returns:
        (N, h, w); cells that are not followed keep theirs.
    """
    moved = [i for i, follows in enumerate(drifting(cells, share)) if follows]
    if not moved:
        return remembered
    matrices = []
    for i in moved:
        rng = cells[i].rng
        x, y = rng.uniform(-2 * share, 2 * share, 2)  # the canvas is 2 wide here
        scale = rng.uniform(1 - GROWTH, 1 + GROWTH)
        matrices.append([[scale, 0.0, x], [0.0, scale, y]])
    theta = torch.tensor(matrices, dtype=remembered.dtype, device=remembered.device)
    some = remembered[moved][:, None]
    grid = functional.affine_grid(theta, list(some.shape), align_corners=False)
    shifted = functional.grid_sample(some, grid, padding_mode="border", align_corners=False)
    out = remembered.clone()
    out[moved] = shifted[:, 0]
    return out

"""The distance transform that the published SEEM clicks by: a chain of convolutions, flat at the top.

Source: Pham et al., Learning to Segment Medical Images with Scribble-Supervision Alone, as in
kornia.contrib.distance_transform (kernel 3, h 0.35). Of kornia's two offsets of a ring, i and 3 i // 2, this is the
first; both put pixels into the same order.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

__all__ = ["convolved_distance"]

SOFTNESS = 0.35


def convolved_distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Roughly how deep each pixel (H, W) lies in the mask; the image border counts as outside."""
    deep = np.zeros(mask.shape, np.float32)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows):
        window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        deep[window] = _rings(torch.from_numpy(np.pad(mask[window], 1)))[1:-1, 1:-1].numpy()
    return deep


def _rings(inside: torch.Tensor) -> torch.Tensor:
    """Rings of pixels from the outside in; in each, a soft minimum over the eight neighbours."""
    steps = [[math.hypot(x, y) for x in (-1, 0, 1)] for y in (-1, 0, 1)]
    kernel = torch.exp(torch.tensor(steps) / -SOFTNESS)[None, None]
    reached = (~inside).float()[None, None]
    deep = torch.zeros_like(reached)
    for ring in range(max(inside.shape)):
        near = functional.conv2d(functional.pad(reached, (1, 1, 1, 1), mode="replicate"), kernel)
        distance = torch.nan_to_num(-SOFTNESS * torch.log(near), posinf=0.0)
        new = distance > 0
        if not new.any():
            break
        deep += (ring + distance) * new
        reached[new] = 1.0
    return deep[0, 0]

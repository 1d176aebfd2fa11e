"""Video: the mask of the first frame, followed through the rest; region and boundary measures of DAVIS.

Source: Perazzi et al., DAVIS, CVPR 2016: J is the IoU of a frame, F the F-measure of boundaries matched within 0.8 %
of the image diagonal; the first frame does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from seemkit.evaluation.datasets import Labelled
from seemkit.evaluation.figures import Figure, iou
from seemkit.prompting.read import prompt_type

if TYPE_CHECKING:
    from seemkit.pipeline.model import Model

__all__ = ["boundary_f", "video_figures"]

PROTOCOL = "DAVIS J&F, first frame's mask as reference"
TOLERANCE = 0.008


def boundary_f(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """F-measure of the boundaries of two (H, W) masks, matched within 0.8 % of the diagonal."""
    reach = int(np.ceil(TOLERANCE * float(np.hypot(*truth.shape))))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = rows**2 + columns**2 <= reach**2
    a, b = _boundary(prediction), _boundary(truth)
    if not a.any() or not b.any():
        return float(a.any() == b.any())
    precision = float((a & ndimage.binary_dilation(b, disc)).sum() / a.sum())
    recall = float((b & ndimage.binary_dilation(a, disc)).sum() / b.sum())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels that differ from the one to the right, below, or right below (as the DAVIS code finds them)."""
    edge = np.zeros_like(mask)
    edge[:, :-1] |= mask[:, :-1] ^ mask[:, 1:]
    edge[:-1] |= mask[:-1] ^ mask[1:]
    edge[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return edge


def video_figures(model: Model, frames: Sequence[Labelled], split: str, *, memory: bool) -> list[Figure]:
    """J, F and their mean over the frames after the first."""
    first = prompt_type("mask")(mask=frames[0].mask)  # type: ignore[call-arg]
    results = model.track((f.image for f in frames), {"1": [first]}, memory=memory)
    pairs = [(r.masks[0], f) for r, f in zip(results, frames, strict=True)][1:]
    j = float(np.mean([iou(mask, f.mask, f.ignore) for mask, f in pairs]))
    f = float(np.mean([boundary_f(mask, frame.mask) for mask, frame in pairs]))
    suite = f"{split} video, {'with' if memory else 'without'} memory"
    return [
        Figure(suite, name, value, PROTOCOL, split, len(pairs))
        for name, value in (("J", j), ("F", f), ("J&F", (j + f) / 2))
    ]

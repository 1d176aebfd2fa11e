"""Figures of interactive segmentation from curves of IoU against rounds.

Source: NoC@t is the number of clicks to reach an IoU of t (Xu et al., Deep Interactive Object Selection, CVPR 2016),
the cap if it is never reached; k-IoU is the mean IoU after k clicks (SEEM: 1-IoU, 3-IoU, ...).
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["clicks_to_reach", "mean_curve"]


def clicks_to_reach(
    curves: NDArray[np.float64], threshold: float, cap: int | None = None
) -> NDArray[np.int64]:
    """The first round (objects,), from 1, whose IoU in `curves` (objects, rounds) is at least the threshold.

    Args:
        curves: IoU after each round.
        threshold: an IoU in [0, 1].
        cap: rounds that count, and what an object has that never reaches it; by default all.
    """
    shown = curves[:, : cap or curves.shape[1]]
    reached = shown >= threshold
    first = np.where(reached.any(1), reached.argmax(1) + 1, shown.shape[1])
    return np.asarray(first, np.int64)


def mean_curve(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """k-IoU (rounds,) for k from 1."""
    return np.asarray(curves.mean(0), np.float64)

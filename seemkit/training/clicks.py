"""The next click of a simulated user: the innermost pixel of the deeper error (Sofiiuk et al., RITM, ICIP 2022)."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["depth", "next_click"]


def next_click(
    prediction: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    used: NDArray[np.bool_] | None = None,
    ignore: NDArray[np.bool_] | None = None,
) -> tuple[int, int, bool] | None:
    """(x, y, positive) of the next click by the RITM protocol; None if there is no error left.

    Of the missed and of the wrongly selected pixels, the one that lies deepest by the exact Euclidean distance
    transform is clicked; it is positive only if the missed area is the deeper one.

    Args:
        prediction: (H, W).
        truth: (H, W).
        used: pixels clicked before; they still are errors, but are not clicked again.
        ignore: pixels that are no errors, whatever is predicted there.
    """
    missed, wrong = truth & ~prediction, prediction & ~truth
    if ignore is not None:
        missed, wrong = missed & ~ignore, wrong & ~ignore
    near, far = depth(missed), depth(wrong)
    if used is not None:
        near, far = near * ~used, far * ~used
    positive = bool(near.max() > far.max())
    deepest = near if positive else far
    if deepest.max() <= 0:
        return None
    row, column = divmod(int(deepest.argmax()), deepest.shape[1])
    return column, row, positive


def depth(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How deep each pixel lies in the mask; the image border counts as outside."""
    out = np.zeros(mask.shape)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows):
        window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        out[window] = ndimage.distance_transform_edt(np.pad(mask[window], 1))[1:-1, 1:-1]
    return out

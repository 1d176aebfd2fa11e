"""The next click of a simulated user: the innermost pixel of the larger error."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["depth", "next_click"]


def next_click(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], used: NDArray[np.bool_] | None = None
) -> tuple[int, int, bool] | None:  # fmt: skip
    """(x, y, positive) of the next click by the RITM protocol; None if there is no error left.

    Of the missed and of the wrongly selected pixels (those `used` before left out), the one that lies deepest
    by the exact Euclidean distance transform is clicked; the image border counts as outside.
    """
    missed, wrong = truth & ~prediction, prediction & ~truth
    if used is not None:
        missed, wrong = missed & ~used, wrong & ~used
    found = [(depth(error), positive) for error, positive in ((missed, True), (wrong, False))]
    (near, positive) = max(found, key=lambda pair: float(pair[0].max()))
    if near.max() <= 0:
        return None
    row, column = divmod(int(near.argmax()), near.shape[1])
    return column, row, positive


def depth(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How deep each pixel lies in the mask; the image border counts as outside."""
    out = np.zeros(mask.shape)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows):
        window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        out[window] = ndimage.distance_transform_edt(np.pad(mask[window], 1))[1:-1, 1:-1]
    return out

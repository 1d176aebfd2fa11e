"""The boundary measure F of video object segmentation.

Source: Perazzi et al., A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation, CVPR 2016, and the
code of DAVIS: boundaries are matched within 0.8 % of the image diagonal.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import disk

__all__ = ["boundary_f"]

TOLERANCE = 0.008


def boundary_f(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """F-measure of the boundaries of two (H, W) masks; 1 if neither has one, 0 if only one has."""
    reach = int(np.ceil(TOLERANCE * float(np.hypot(*truth.shape))))
    near = disk(reach).astype(bool)
    a, b = _boundary(prediction), _boundary(truth)
    if not a.any() or not b.any():
        return float(a.any() == b.any())
    precision = float((a & ndimage.binary_dilation(b, near)).sum() / a.sum())
    recall = float((b & ndimage.binary_dilation(a, near)).sum() / b.sum())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels that differ from the one to the right, below, or right below (as the DAVIS code finds them)."""
    edge = np.zeros_like(mask)
    edge[:, :-1] |= mask[:, :-1] ^ mask[:, 1:]
    edge[:-1] |= mask[:-1] ^ mask[1:]
    edge[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return edge

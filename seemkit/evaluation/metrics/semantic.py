"""Mean IoU over the classes of a semantic map."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["Area", "class_areas", "mean_iou"]

Area = tuple[int, int, int]
"""Pixels of a class: right ones, true ones, predicted ones."""


def class_areas(truth: NDArray[np.integer], prediction: NDArray[np.integer]) -> dict[int, Area]:
    """Areas by class in one image, of maps (H, W) of classes; where `truth` is negative nothing counts."""
    counts = truth >= 0
    real, made = truth[counts], prediction[counts]
    areas = {}
    for category in np.unique(np.concatenate((real, made))):
        if category >= 0:
            mine, found = real == category, made == category
            areas[int(category)] = int((mine & found).sum()), int(mine.sum()), int(found.sum())
    return areas


def mean_iou(areas: Mapping[int, Area]) -> float:
    """Sum of IoUs of classes that are in the truth, over the number of classes that are there or were predicted.

    This is how the evaluator of Detectron2 that SEEM used counts: a class that is predicted somewhere, but is
    nowhere in the truth, counts as 0. NaN without any class.
    """
    scores = [right / (real + made - right) for right, real, made in areas.values() if real + made]
    return float(np.mean(scores)) if scores else float("nan")

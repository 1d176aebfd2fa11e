"""Mask AP, as pycocotools computes it.

Source: Lin et al., Microsoft COCO, ECCV 2014: AP is the mean over classes and IoU thresholds .50:.05:.95.
"""

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

__all__ = ["AP_NAMES", "mask_ap"]

AP_NAMES = ("AP", "AP50", "AP75", "AP small", "AP medium", "AP large")


def mask_ap(
    truth: Sequence[dict[str, Any]],
    predictions: Sequence[dict[str, Any]],
    images: Sequence[dict[str, Any]],
    categories: Sequence[int],
) -> dict[str, float]:
    """AP and its parts by name; NaN for a part without any object.

    Args:
        truth: COCO annotations with ``id``, ``image_id``, ``category_id``, ``segmentation`` as compressed run
            lengths, ``area``, ``bbox`` and ``iscrowd``.
        predictions: ``image_id``, ``category_id``, ``segmentation`` and ``score``.
        images: ``id``, ``height`` and ``width`` of every image that was looked at.
        categories: ids of all classes.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(io.StringIO()):
        real = COCO()
        real.dataset = {
            "images": list(images),
            "annotations": [dict(a) for a in truth],
            "categories": [{"id": c, "name": str(c)} for c in categories],
        }
        real.createIndex()
        if not truth:
            return dict.fromkeys(AP_NAMES, float("nan"))
        if not predictions:
            return dict.fromkeys(AP_NAMES, 0.0)
        run = COCOeval(real, real.loadRes([dict(p) for p in predictions]), "segm")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return {
        name: float(value) if value >= 0 else float("nan")
        for name, value in zip(AP_NAMES, run.stats[:6], strict=True)
    }

"""Masks of LVIS in place of coarser ones: a segment takes that of the instance whose box fits best.

Source: SEEM's training data: the mask of a panoptic segment is replaced where the box IoU with an instance of LVIS
exceeds 0.7.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seemkit import api
from seemkit_data.coco_files import Record
from seemkit_data.coco_masks import box_of, read_segmentation

__all__ = ["LvisRefinement", "box_iou"]

Box = tuple[float, float, float, float]


class LvisRefinement:
    """Instances of LVIS by image.

    Args:
        data: JSON with `annotations` of `image_id`, or with records that hold them under `lvis_info`.
        iou: how well boxes have to fit (above).
    """

    def __init__(self, data: Record, iou: float = 0.7) -> None:
        self.iou = iou
        self._instances: dict[Any, list[tuple[Box, Any]]] = {}
        for record in (*_records(data.get("annotations")), *_records(data.get("images"))):
            for each in _records(record.get("lvis_info")) or [record]:
                box = box_of(each.get("bbox"))
                number = each.get("image_id", record.get("image_id", record.get("id")))
                if box is not None and "segmentation" in each:
                    self._instances.setdefault(number, []).append((box, each["segmentation"]))

    def refine(
        self, mask: api.MaskSource, image: object, box: object, size: tuple[int, int]
    ) -> api.MaskSource:
        """The mask of the instance that fits a segment best, if one fits; else the segment's own.

        Args:
            mask: of the segment.
            image: its number.
            box: x, y, width and height of the segment; None takes those of its mask.
            size: (H, W) of the picture.

        Raises:
            SeemkitError: the mask of the instance that fits is broken; the sentence says how.
        """
        instances = self._instances.get(image, ())
        if not instances:
            return mask
        own = box_of(box) or tight_box(mask() if callable(mask) else mask)
        if own is None:
            return mask
        fit, segmentation = max(
            ((box_iou(own, other), each) for other, each in instances), key=lambda pair: pair[0]
        )
        if fit <= self.iou:
            return mask
        try:
            return read_segmentation(segmentation, size)
        except api.SeemkitError as error:
            raise api.SeemkitError(
                f"it keeps its own mask, for that of LVIS cannot be used: {error}"
            ) from error


def box_iou(one: Box, other: Box) -> float:
    """Intersection over union of two boxes (x1, y1, x2, y2)."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    both = max(wide, 0.0) * max(high, 0.0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (areas - both) if both else 0.0


def tight_box(mask: NDArray[np.bool_]) -> Box | None:
    """(x1, y1, x2, y2) around the pixels of a mask; None if there is none."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _records(given: Any) -> list[Record]:
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []

"""What the mask of an object may come as: an array, or something that gives one when it is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from seemkit.errors import SeemkitError

__all__ = ["IdMask", "MaskSource", "PolygonMask", "RunLengthMask", "read_mask"]

MaskSource: TypeAlias = "NDArray[np.bool_] | Callable[[], NDArray[np.bool_]]"
"""(H, W) bool, or what gives it when called; the classes of this module pickle."""


@dataclass(frozen=True)
class RunLengthMask:
    """COCO run lengths.

    Attributes:
        size: (H, W).
        counts: compressed as text, or the counts themselves, column by column.
    """

    size: tuple[int, int]
    counts: str | tuple[int, ...]

    @property
    def fills(self) -> bool:
        """Whether the counts add up to the size: all that can be wrong with them, told without decoding."""
        from seemkit.prompting.arrays import covers

        pixels = self.size[0] * self.size[1]
        if isinstance(self.counts, str):
            return self.counts.isascii() and covers(self.counts.encode("ascii"), pixels)
        return sum(self.counts) == pixels

    def __call__(self) -> NDArray[np.bool_]:
        """The mask (H, W)."""
        from seemkit.prompting.arrays import decode_rle

        counts = self.counts if isinstance(self.counts, str) else list(self.counts)
        return decode_rle({"size": list(self.size), "counts": counts})


@dataclass(frozen=True)
class PolygonMask:
    """Polygons as COCO has them, rasterised as COCO does; the mask is their union.

    Attributes:
        size: (H, W).
        polygons: each x1, y1, x2, y2, ... in pixels.
    """

    size: tuple[int, int]
    polygons: tuple[tuple[float, ...], ...]

    def __call__(self) -> NDArray[np.bool_]:
        """The mask (H, W)."""
        from pycocotools import mask as coco

        polygons = [list(each) for each in self.polygons if len(each) >= 6 and len(each) % 2 == 0]
        if not polygons:
            raise SeemkitError("the object has no polygon of at least three corners", path="polygons")
        height, width = self.size
        found = coco.decode(coco.merge(coco.frPyObjects(polygons, height, width)))
        return np.asarray(found, np.bool_)


@dataclass(frozen=True, eq=False)
class IdMask:
    """The pixels of a map that have one id; objects of a picture share the map.

    Attributes:
        ids: (H, W) int32.
        id: of the object.
    """

    ids: NDArray[np.int32]
    id: int

    def __call__(self) -> NDArray[np.bool_]:
        """The mask (H, W)."""
        return np.asarray(self.ids == self.id)


def read_mask(source: MaskSource) -> NDArray[np.bool_]:
    """The mask (H, W) of whatever it comes as.

    Raises:
        SeemkitError: it cannot be read, or is no mask.
    """
    found = source() if callable(source) else source
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype != np.bool_:
        shape = getattr(found, "shape", type(found).__name__)
        raise SeemkitError(f"a mask is bool of shape (H, W), not {getattr(found, 'dtype', '')} {shape}")
    return found

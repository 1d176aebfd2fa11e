"""Rings made one: what formats of a single polygon an object need for holes and for several parts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["area_of", "join_rings", "parts_of"]

Ring = Sequence[tuple[float, float]]


def join_rings(rings: Sequence[Ring]) -> list[tuple[float, float]]:
    """One ring through all: from the nearest corner of what is joined so far to the next ring, around it, and back.

    The bridges have no width, so that filling the ring by the even-odd rule gives the same area.
    """
    joined = np.asarray(rings[0], np.float64)
    for ring in rings[1:]:
        other = np.asarray(ring, np.float64)
        here, there = _nearest(joined, other)
        around = np.concatenate([other[there:], other[: there + 1]])
        joined = np.concatenate([joined[: here + 1], around, joined[here:]])
    return [(float(x), float(y)) for x, y in joined]


def parts_of(rings: Sequence[Ring]) -> list[list[Ring]]:
    """Each exterior with the holes in it; exteriors have a positive area, holes a negative one."""
    exteriors = [[ring] for ring in rings if area_of(ring) > 0]
    exteriors.sort(key=lambda part: area_of(part[0]))
    for ring in rings:
        if area_of(ring) < 0:
            home = next((part for part in exteriors if _holds(part[0], ring)), exteriors[-1])
            home.append(ring)
    exteriors.reverse()  # largest first
    return exteriors


def area_of(ring: Ring) -> float:
    """Signed area in pixels."""
    x, y = np.asarray(ring, np.float64).T
    return 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def _nearest(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[int, int]:
    """Places of the two corners that are closest to each other."""
    best = (np.inf, 0, 0)
    for here, corner in enumerate(one):
        distance = ((other - corner) ** 2).sum(1)
        there = int(distance.argmin())
        best = min(best, (float(distance[there]), here, there))
    return best[1], best[2]


def _holds(outer: Ring, inner: Ring) -> bool:
    """Whether a point of the hole, just inside its first edge, lies within the exterior, by the even-odd rule."""
    (x1, y1), (x2, y2) = inner[0], inner[1]
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    length = float(np.hypot(x2 - x1, y2 - y1)) or 1.0
    x, y = x + 0.25 * (y2 - y1) / length, y - 0.25 * (x2 - x1) / length
    inside = False
    for (ax, ay), (bx, by) in zip(outer, [*outer[1:], outer[0]], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside

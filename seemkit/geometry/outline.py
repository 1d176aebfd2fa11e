"""Closed outlines: whether their edges cross, and the area they enclose."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["check_outline", "crossing_edges", "enclosed_area"]

_ROWS = 256


def check_outline(points: ArrayLike, prompt: str) -> None:
    """Refuse an outline (n, 2) that has fewer than three corners, crosses itself or encloses nothing.

    Raises:
        ValueError: in one sentence that begins with `prompt`.
    """
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    distinct = len(np.unique(corners, axis=0))
    if distinct < 3:
        raise ValueError(f"{prompt} has {distinct} different corners, expected 3 at least")
    if found := crossing_edges(corners):
        first, second = (_describe_edge(corners, edge) for edge in found)
        raise ValueError(f"{prompt} crosses itself: its edge {first} meets its edge {second}")
    if enclosed_area(corners) == 0:
        raise ValueError(f"{prompt} encloses no area: its corners lie on one line or its loops cancel")


def crossing_edges(points: ArrayLike) -> tuple[int, int] | None:
    """The first two edges of the closed outline (n, 2) that properly cross, or None.

    Edge i goes from corner i to the next one. Edges that only touch, at a corner or along a
    line, do not cross.
    """
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    parted = np.concatenate(
        [_parts(corners, at) for at in range(0, len(corners), _ROWS)] or [np.zeros((0, 0), bool)]
    )
    crossing = parted & parted.T
    if not crossing.any():
        return None
    first, second = np.argwhere(crossing)[0]
    return int(first), int(second)


def enclosed_area(points: ArrayLike) -> float:
    """The area that the closed outline (n, 2) encloses, in squared pixels (shoelace formula)."""
    x, y = (
        np.asarray(points, np.float64).reshape(-1, 2) - np.asarray(points, np.float64).reshape(-1, 2)[:1]
    ).T
    with np.errstate(all="ignore"):
        return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def _parts(corners: NDArray[np.float64], at: int) -> NDArray[np.bool_]:
    """(rows, n): whether the line through edge i has the two ends of edge j strictly on both sides."""
    start = corners[at : at + _ROWS]
    along = np.roll(corners, -1, axis=0)[at : at + _ROWS] - start
    with np.errstate(all="ignore"):
        away = corners[None] - start[:, None]  # (rows, n, 2)
        turn = along[:, None, 0] * away[..., 1] - along[:, None, 1] * away[..., 0]
        size = np.square(np.ptp(corners, axis=0).max())  # infinite for huge corners, which is no error here
        side = np.sign(np.where(np.abs(turn) <= 4 * np.finfo(float).eps * size, 0, turn))
        return np.asarray(side * np.roll(side, -1, axis=1) < 0)


def _describe_edge(corners: NDArray[np.float64], edge: int) -> str:
    (x0, y0), (x1, y1) = corners[edge], corners[(edge + 1) % len(corners)]
    return f"{edge} from ({x0:.10g}, {y0:.10g}) to ({x1:.10g}, {y1:.10g})"

"""Drawing on the input grid: clicks, boxes, strokes, polygons and masks become boolean pixels.

All functions take points in pixels of the original image, (x, y), and a :class:`Grid` (or a plain (height,
width) for an image that is its own grid); they return (height, width) bool. A pixel belongs to an area if its
centre lies strictly inside; every shape that touches the image selects at least one pixel. Ties are broken
evenly, so that drawing a mirrored shape gives the mirrored pixels; only a click on the very border between
two pixels belongs to the one on its right or below, as the frame says.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seemkit.geometry.grid import Grid, as_grid

__all__ = ["draw_box", "draw_clicks", "draw_polygon", "draw_stroke", "resize_mask", "sample_line"]

_THINNEST = 0.7072
"""Radius of the thinnest stroke in grid pixels: every point is this close to the centre of its pixel."""


def draw_clicks(points: ArrayLike, size: Grid | tuple[int, int], reach: int = 1) -> NDArray[np.bool_]:
    """Squares of (2 * reach + 1) pixels around the pixels that hold the points (n, 2); 3 x 3 by default."""
    grid = as_grid(size)
    mask = np.zeros(grid.size, bool)
    for x, y in grid.place(np.asarray(points, np.float64).reshape(-1, 2)):
        if not (0 <= x <= grid.width and 0 <= y <= grid.height):
            continue
        column, row = min(int(x), grid.width - 1), min(int(y), grid.height - 1)
        mask[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1] = True
    return mask


def draw_box(box: tuple[float, float, float, float], size: Grid | tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose centres lie in the box (x1, y1, x2, y2), x2 and y2 exclusive, clipped to the image."""
    grid = as_grid(size)
    mask = np.zeros(grid.size, bool)
    rows, columns = grid.original
    left, top, right, bottom = box
    if left >= columns or top >= rows or right <= 0 or bottom <= 0:
        return mask
    corners = np.array([[max(left, 0), max(top, 0)], [min(right, columns), min(bottom, rows)]], np.float64)
    (left, top), (right, bottom) = grid.place(corners)
    mask[_span(top, bottom, grid.height), _span(left, right, grid.width)] = True
    return mask


def draw_polygon(points: ArrayLike, size: Grid | tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose centres lie in the polygon (n, 2) by the even-odd rule; its outline if none does."""
    grid = as_grid(size)
    corners = grid.place(np.asarray(points, np.float64).reshape(-1, 2))
    rows, columns = np.arange(grid.height) + 0.5, np.arange(grid.width) + 0.5
    inside = np.zeros((4, *grid.size), bool)  # a centre moved a little up or down, and a little left or right
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        low, high = min(y0, y1), max(y0, y1)
        for i, crossed in enumerate(((rows >= low) & (rows < high), (rows > low) & (rows <= high))):
            at = x0 + (rows[crossed] - y0) * (x1 - x0) / (y1 - y0)
            inside[2 * i, crossed] ^= columns >= at[:, None]
            inside[2 * i + 1, crossed] ^= columns > at[:, None]
    mask = np.asarray(inside.all(0))
    return mask if mask.any() or not len(corners) else draw_stroke(_closed(points), 0, grid)


def draw_stroke(points: ArrayLike, width: float, size: Grid | tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels within half of `width` (pixels of the original image) of the polyline through the points."""
    grid = as_grid(size)
    path = grid.place(np.asarray(points, np.float64).reshape(-1, 2))
    radius = max(0.5 * width * float(np.sqrt(grid.scale[0] * grid.scale[1])), _THINNEST)
    mask = np.zeros(grid.size, bool)
    segments = pairwise(path) if len(path) > 1 else ((at, at) for at in path)
    for start, end in segments:
        low = np.floor(np.minimum(start, end) - radius - 1).clip(0, grid.size[::-1]).astype(int)
        high = np.ceil(np.maximum(start, end) + radius + 1).clip(0, grid.size[::-1]).astype(int)
        columns, rows = np.arange(low[0], high[0]), np.arange(low[1], high[1])
        if len(rows) and len(columns):
            near = _near_segment(columns + 0.5, rows[:, None] + 0.5, start, end, radius)
            mask[low[1] : high[1], low[0] : high[0]] |= near
    return mask


def resize_mask(mask: NDArray[np.bool_], size: Grid | tuple[int, int]) -> NDArray[np.bool_]:
    """Bring a (H, W) bool mask of the original image onto the grid by the nearest pixel.

    Where several are equally near, one that is selected will do. A mask that is not empty never becomes
    empty: the grid cells that hold its pixels are then selected.
    """
    grid = as_grid(size)
    height, width = mask.shape
    if (height, width) == grid.size:
        return mask.copy()
    small = np.zeros(grid.size, bool)
    for rows in _nearest(grid.height, height):
        for columns in _nearest(grid.width, width):
            small |= mask[rows[:, None], columns[None, :]]
    if not small.any():
        y, x = np.nonzero(mask)
        for rows in _nearest(height, grid.height):
            for columns in _nearest(width, grid.width):
                small[rows[y], columns[x]] = True
    return small


def sample_line(points: ArrayLike, step: float) -> NDArray[np.float64]:
    """Points (m, 2) along a polyline (n, 2), at most `step` apart, both ends kept."""
    path = np.asarray(points, np.float64).reshape(-1, 2)
    pieces = [path[:1]]
    for start, end in pairwise(path):
        count = max(int(np.ceil(np.hypot(*(end - start)) / step)), 1)
        pieces.append(start + (end - start) * (np.arange(1, count + 1) / count)[:, None])
    return np.concatenate(pieces)


def _closed(points: ArrayLike) -> NDArray[np.float64]:
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    return np.concatenate((corners, corners[:1]))


def _span(low: float, high: float, length: int) -> slice:
    """The pixels whose centres lie strictly between `low` and `high`, or else those that hold the middle."""
    first = int(np.floor(low + 0.5))
    last = int(np.ceil(high - 0.5))
    if last <= first:
        middle = (low + high) / 2
        first, last = int(np.ceil(middle)) - 1, int(np.floor(middle)) + 1
    return slice(max(first, 0), min(last, length))


def _near_segment(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    radius: float,
) -> NDArray[np.bool_]:
    """Whether points are within `radius` of a segment; undivided, so that mirrored ties stay ties."""
    (dx, dy), length = end - start, float((end - start) @ (end - start))
    along = (x - start[0]) * dx + (y - start[1]) * dy
    across = np.abs((x - start[0]) * dy - (y - start[1]) * dx)
    from_start = (x - start[0]) ** 2 + (y - start[1]) ** 2
    from_end = (x - end[0]) ** 2 + (y - end[1]) ** 2
    beside = (along >= 0) & (along <= length) & (across <= radius * np.sqrt(length))
    at_ends = np.minimum(from_start, from_end) <= radius * radius
    return np.asarray((beside & (length > 0)) | at_ends)


def _nearest(count: int, length: int) -> list[NDArray[np.int64]]:
    """For each of `count` cells the pixel of `length` at its centre; two lists if some lie between pixels."""
    centres = (2 * np.arange(count, dtype=np.int64) + 1) * length
    right, left = centres // (2 * count), (centres - 1) // (2 * count)
    return [right] if (left == right).all() else [right, left]

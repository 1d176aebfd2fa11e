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
    for point in np.asarray(points, np.float64).reshape(-1, 2).tolist():
        x, y = grid.place_one(*point)
        if not (0 <= x <= grid.width and 0 <= y <= grid.height):
            continue
        column, row = min(int(x), grid.width - 1), min(int(y), grid.height - 1)
        mask[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1] = True
    return mask


def draw_box(box: tuple[float, float, float, float], size: Grid | tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose centres lie in the box (x1, y1, x2, y2), x2 and y2 exclusive, clipped to the image.

    Of a box that is thinner than a pixel, the pixels that hold its middle.
    """
    grid = as_grid(size)
    mask = np.zeros(grid.size, bool)
    rows, columns = grid.original
    left, top, right, bottom = box
    if left >= columns or top >= rows or right <= 0 or bottom <= 0:
        return mask
    corners = np.array([[max(left, 0), max(top, 0)], [min(right, columns), min(bottom, rows)]], np.float64)
    (x1, y1), (x2, y2) = _lift(corners, grid)
    x, y = _lifted_centres(grid)
    return np.asarray(_between(y, y1, y2, rows)[:, None] & _between(x, x1, x2, columns))


def draw_polygon(points: ArrayLike, size: Grid | tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose centres lie in the polygon (n, 2) by the even-odd rule; its outline if none does."""
    grid = as_grid(size)
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    lifted, (x, y) = _lift(corners, grid), _lifted_centres(grid)
    inside = np.zeros((4, *grid.size), bool)  # a centre moved a little up or down, and a little left or right
    for (x0, y0), (x1, y1) in zip(lifted, np.roll(lifted, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        low, high = min(y0, y1), max(y0, y1)
        for i, crossed in enumerate(((y >= low) & (y < high), (y > low) & (y <= high))):
            at = x0 + (y[crossed] - y0) * (x1 - x0) / (y1 - y0)
            inside[2 * i, crossed] ^= x >= at[:, None]
            inside[2 * i + 1, crossed] ^= x > at[:, None]
    mask = np.asarray(inside.all(0))
    return mask if mask.any() else draw_stroke(np.concatenate((corners, corners[:1])), 0, grid)


def draw_stroke(points: ArrayLike, width: float, size: Grid | tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels within half of `width` (pixels of the original image) of the polyline through the points."""
    grid = as_grid(size)
    rows, columns = grid.original
    unit = np.array([columns, rows], np.float64)  # a pixel of the grid in the lifted frame
    radius = max(0.5 * float(np.sqrt(width * width * grid.width * grid.height / (rows * columns))), _THINNEST)
    path, (x, y) = _lift(points, grid), _lifted_centres(grid)
    mask = np.zeros(grid.size, bool)
    segments = pairwise(path) if len(path) > 1 else ((at, at) for at in path)
    for start, end in segments:
        low = np.floor(np.minimum(start, end) / unit - radius - 1).clip(0, grid.size[::-1]).astype(int)
        high = np.ceil(np.maximum(start, end) / unit + radius + 1).clip(0, grid.size[::-1]).astype(int)
        near = _near_segment(x[low[0] : high[0]], y[low[1] : high[1], None], start, end, unit, radius)
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


def _lift(points: ArrayLike, grid: Grid) -> NDArray[np.float64]:
    """Points (n, 2) multiplied by (width, height) of the grid.

    Pixel centres multiplied by (W, H) of the image lie in the same frame. Unlike on the grid, common
    coordinates are not rounded there: a centre on an edge stays on it, for mirrored and scaled shapes too.
    """
    return np.asarray(points, np.float64).reshape(-1, 2) * np.array([grid.width, grid.height], np.float64)


def _lifted_centres(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, columns = grid.original
    across, down = np.arange(grid.width, dtype=np.float64), np.arange(grid.height, dtype=np.float64)
    return (across + 0.5) * columns, (down + 0.5) * rows


def _between(centres: NDArray[np.float64], low: float, high: float, unit: float) -> NDArray[np.bool_]:
    inside = (centres > low) & (centres < high)
    return np.asarray(inside if inside.any() else np.abs(2 * centres - (low + high)) <= unit)


def _near_segment(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    unit: NDArray[np.float64],
    radius: float,
) -> NDArray[np.bool_]:
    """Whether lifted centres are within `radius` grid pixels of a lifted segment.

    What is summed depends on the sizes of differences only, so that mirrored ties stay ties.
    """
    (dx, dy), area = end - start, float(unit[0] * unit[1])
    across = np.abs((x - start[0]) * dy - (y - start[1]) * dx) / area
    along = (x - start[0]) / unit[0] * (dx / unit[0]) + (y - start[1]) / unit[1] * (dy / unit[1])
    length = float((dx / unit[0]) ** 2 + (dy / unit[1]) ** 2)
    from_start = ((x - start[0]) / unit[0]) ** 2 + ((y - start[1]) / unit[1]) ** 2
    from_end = ((x - end[0]) / unit[0]) ** 2 + ((y - end[1]) / unit[1]) ** 2
    beside = (along >= 0) & (along <= length) & (across <= radius * np.sqrt(length)) & (length > 0)
    return np.asarray(beside | (np.minimum(from_start, from_end) <= radius * radius))


def _nearest(count: int, length: int) -> list[NDArray[np.int64]]:
    """For each of `count` cells the pixel of `length` at its centre; two lists if some lie between pixels."""
    centres = (2 * np.arange(count, dtype=np.int64) + 1) * length
    right, left = centres // (2 * count), (centres - 1) // (2 * count)
    return [right] if (left == right).all() else [right, left]

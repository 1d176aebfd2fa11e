"""What users do when they see an object: click it, box it, stroke it, outline it or paint it roughly.

All functions take a (H, W) bool mask of the object and give points as (x, y) in its pixels; on an empty mask
they give None. The same mask and generator state give the same values.
"""

import numpy as np
from numpy.typing import NDArray

from seemkit.geometry.outline import crossing_edges, enclosed_area
from seemkit.geometry.raster import sample_line

__all__ = ["simulate_box", "simulate_click", "simulate_mask", "simulate_outline", "simulate_stroke"]

Point = tuple[float, float]


def simulate_click(mask: NDArray[np.bool_], rng: np.random.Generator) -> Point | None:
    """The centre of a pixel of the object: half of the time its innermost one, else any."""
    if not mask.any():
        return None
    left, top, _, _ = _tight_box(mask)
    depth = _depth(mask)
    deepest = int(depth.argmax())
    inside = np.flatnonzero(depth)
    chosen = deepest if rng.random() < 0.5 else int(inside[rng.integers(len(inside))])
    row, column = divmod(chosen, depth.shape[1])
    return column + left + 0.5, row + top + 0.5


def simulate_box(
    mask: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[float, float, float, float] | None:
    """The tight box (x1, y1, x2, y2), each side moved by up to a twentieth of the box, on the image."""
    if not mask.any():
        return None
    height, width = mask.shape
    x1, y1, x2, y2 = _tight_box(mask)
    move = rng.uniform(-0.05, 0.05, 4) * (x2 - x1, y2 - y1, x2 - x1, y2 - y1)
    sides = (np.array([x1, y1, x2, y2]) + move).clip(0, (width, height, width, height))
    return float(sides[0]), float(sides[1]), float(sides[2]), float(sides[3])


def simulate_stroke(mask: NDArray[np.bool_], rng: np.random.Generator) -> tuple[list[Point], float] | None:
    """A smooth stroke through the object along its longer side, and a width that stays within it.

    Two to six pixels well inside are ordered along the principal axis; those that can only be reached across
    the background are left out. A stroke of one point is a dab.
    """
    if not mask.any():
        return None
    left, top, _, _ = _tight_box(mask)
    depth = _depth(mask)
    rows, columns = np.nonzero(_any_part(depth >= 0.3 * depth.max(), rng))
    inner = np.stack((columns, rows), axis=1) + 0.5
    chosen = inner[rng.choice(len(inner), min(len(inner), int(rng.integers(2, 7))), replace=False)]
    path = [chosen[i] for i in np.argsort(chosen @ _principal_axis(depth), kind="stable")]
    kept = path[:1]
    for point in path[1:]:
        if _depth_along(depth, [kept[-1], point]).min() > 0:
            kept.append(point)
    smooth = _round_corners(kept)
    if _depth_along(depth, smooth).min() == 0:
        smooth = np.array(kept)
    width = max(2 * float(_depth_along(depth, smooth).min()) * float(rng.uniform(0.3, 0.9)), 1.0)
    return [(float(x) + left, float(y) + top) for x, y in smooth], width


def simulate_outline(
    mask: NDArray[np.bool_], rng: np.random.Generator, *, loose: float = 0.0
) -> list[Point] | None:
    """The corners of a simplified, slightly unsteady outline of the largest part; it never crosses itself.

    Args:
        mask: the object.
        rng: moves corners by up to a hundredth of the object's size and draws how coarse the outline is.
        loose: how far outside of the object it runs, as a share of the object's size (a lasso's 0.05).
    """
    if not mask.any():
        return None
    height, width = mask.shape
    left, top, right, bottom = _tight_box(mask)
    size = float(np.sqrt((right - left) * (bottom - top)))
    reach = int(np.ceil(loose * size)) if loose > 0 else 0
    contour = _contour(_largest_part(mask), reach)
    for coarse in (float(rng.uniform(0.01, 0.03)) * size, 0.005 * size, 0.0):
        corners = _simplify(contour, coarse)
        moved = corners + rng.uniform(-0.01, 0.01, corners.shape) * size
        for outline in (moved, corners):
            placed = outline.clip(0, (width, height))
            if len(placed) >= 3 and enclosed_area(placed) > 0 and crossing_edges(placed) is None:
                return [(float(x), float(y)) for x, y in placed]
    box = ((left, top), (right, top), (right, bottom), (left, bottom))
    return [(float(x), float(y)) for x, y in box]


def simulate_mask(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_] | None:
    """The mask as it is, a little too small, a little too large, or in coarse blocks; never empty."""
    from scipy import ndimage

    if not mask.any():
        return None
    reach = max(round(float(rng.uniform(0.005, 0.04)) * float(np.sqrt(mask.sum()))), 1)
    kind = int(rng.integers(4))
    if kind == 0:
        return mask.copy()
    if kind == 3:
        block = 2 * reach
        rows, columns = (np.minimum(np.arange(n) // block * block + reach, n - 1) for n in mask.shape)
        rough = mask[rows[:, None], columns[None, :]]
    else:
        change = ndimage.minimum_filter if kind == 1 else ndimage.maximum_filter
        rough = change(mask.astype(np.uint8), size=2 * reach + 1, mode="constant") > 0
    return np.asarray(rough, bool) if rough.any() else mask.copy()


def _tight_box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _depth(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Within the tight box: distance of each pixel to the nearest outside (the image's edge is outside)."""
    from scipy import ndimage

    x1, y1, x2, y2 = _tight_box(mask)
    return np.asarray(ndimage.distance_transform_edt(np.pad(mask[y1:y2, x1:x2], 1))[1:-1, 1:-1], np.float64)


def _depth_along(
    depth: NDArray[np.float64], path: list[NDArray[np.float64]] | NDArray[np.float64]
) -> NDArray[np.float64]:
    columns, rows = np.floor(sample_line(np.array(path), 0.5)).astype(int).T
    return np.asarray(depth[rows.clip(0, depth.shape[0] - 1), columns.clip(0, depth.shape[1] - 1)])


def _principal_axis(depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """The direction (2,) in which the pixels of the object spread most."""
    rows, columns = np.nonzero(depth)
    if len(rows) < 2:
        return np.array([1.0, 0.0])
    spread = np.cov(np.stack((columns, rows)).astype(np.float64))
    return np.asarray(np.linalg.eigh(spread)[1][:, -1], np.float64)


def _round_corners(path: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Corner cutting of a polyline, ends kept (Chaikin 1974), twice."""
    points = np.array(path)
    for _ in range(2 if len(points) > 2 else 0):
        quarter, three = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        points = np.concatenate((points[:1], np.stack((quarter, three), 1).reshape(-1, 2), points[-1:]))
    return points


def _largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy import ndimage

    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())


def _any_part(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """One connected part, drawn by its area."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    inside = np.flatnonzero(mask)
    chosen = labels.flat[inside[rng.integers(len(inside))]]
    return mask if count == 1 else np.asarray(labels == chosen)


def _contour(mask: NDArray[np.bool_], reach: int) -> NDArray[np.float64]:
    """The outer contour (n, 2) of a part, grown by `reach` pixels, first point not repeated."""
    from scipy import ndimage
    from skimage import measure

    x1, y1, x2, y2 = _tight_box(mask)
    field = np.pad(ndimage.binary_fill_holes(mask[y1:y2, x1:x2]), reach + 1)
    if reach:
        field = ndimage.distance_transform_edt(~field) <= reach
    contours = measure.find_contours(field.astype(np.float64), 0.5)
    longest = max(contours, key=len)[:-1]  # (n, 2) as (row, column) of pixel centres
    return np.asarray(longest[:, ::-1] + 0.5 - (reach + 1) + (x1, y1), np.float64)


def _simplify(contour: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    from skimage import measure

    closed = np.concatenate((contour, contour[:1]))
    return np.asarray(measure.approximate_polygon(closed, tolerance)[:-1], np.float64)

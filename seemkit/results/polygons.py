"""Masks as polygons: rings along the edges of pixels, which rasterise back to exactly the mask.

A ring is a list of corners (x, y) in pixels of the original image; the first is not repeated at the end. On
the screen, with y pointing down, exteriors run clockwise and holes counter-clockwise. No ring meets a corner
twice: where pixels touch at a corner only, rings touch there.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ring", "mask_to_rings", "ring_area", "simplify_ring"]

Ring = list[tuple[float, float]]


def mask_to_rings(
    mask: NDArray[np.bool_], *, holes: bool = True, simplify: float | None = None
) -> list[Ring]:
    """Trace the rings of a mask (H, W): exteriors, largest first, and then holes, largest first.

    Drawing all rings by the even-odd rule gives the mask back, pixel for pixel (unless simplified).

    Args:
        mask: (H, W) bool.
        holes: False fills what is enclosed, so that only exteriors are left and none lies within another.
        simplify: leave out corners as long as no other moves the outline by more than this many pixels; None
            keeps all. A ring that would collapse is left whole.
    """
    if not mask.any():
        return []
    if not holes:
        from scipy.ndimage import binary_fill_holes

        mask = np.asarray(binary_fill_holes(mask), bool)
    rings = [ring for loop in _trace(mask) for ring in _cut_at_repeats(loop)]
    rings.sort(key=ring_area, reverse=True)
    exteriors = [ring for ring in rings if ring_area(ring) > 0]
    rings = exteriors + [ring for ring in reversed(rings) if ring_area(ring) < 0]
    return rings if not simplify else [simplify_ring(ring, simplify) for ring in rings]


def ring_area(ring: Ring) -> float:
    """Signed area in pixels: positive for exteriors, negative for holes."""
    x, y = np.asarray(ring, np.float64).T
    return 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def simplify_ring(ring: Ring, tolerance: float) -> Ring:
    """Leave out corners that lie within `tolerance` pixels of the outline without them.

    Douglas and Peucker 1973, on the two halves between the first corner and the one farthest from it.
    """
    corners = np.asarray(ring, np.float64)
    split = int(np.argmax(((corners - corners[0]) ** 2).sum(1)))
    closed = np.concatenate([corners, corners[:1]])
    keep = np.zeros(len(closed), bool)
    keep[[0, split]] = True
    spans = [(0, split), (split, len(corners))]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distance = _distances(closed[first + 1 : last], closed[first], closed[last])
        if distance.max() > tolerance:
            middle = first + 1 + int(np.argmax(distance))
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    kept: Ring = [(float(x), float(y)) for x, y in corners[keep[:-1]]]
    collapsed = len(kept) < 3 or ring_area(kept) * ring_area(ring) <= 0
    return ring if collapsed else kept


def _trace(mask: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    """The loops (x, y) around all pixels, the mask on their right hand; a corner may come twice.

    Every corner joins one horizontal and one vertical edge. Sorted by row, corners are joined in pairs by
    horizontal edges, sorted by column by vertical ones; a loop takes the two in turn.
    """
    x, y, goes_up, goes_left = _corners(mask)
    across = np.lexsort((~goes_left, x, y))  # at a touching point the edge to the left ends first
    down = np.lexsort((~goes_up, y, x))
    beside, above = np.empty(len(x), int), np.empty(len(x), int)
    beside[across[0::2]], beside[across[1::2]] = across[1::2], across[0::2]
    above[down[0::2]], above[down[1::2]] = down[1::2], down[0::2]
    horizontal, vertical = beside.tolist(), above.tolist()
    points = list(zip(x.tolist(), y.tolist(), strict=True))
    filled_below = np.pad(mask, 1)[y + 1, np.where(goes_left, x, x + 1)].tolist()
    to_right = (~goes_left).tolist()
    seen = [False] * len(points)
    loops: list[list[tuple[int, int]]] = []
    for start in across.tolist():
        # Walking right, the pixels on the right hand are those below the edge; walking left, those above.
        if seen[start] or filled_below[start] != to_right[start]:
            continue
        loop: list[tuple[int, int]] = []
        at = start
        while not seen[at]:
            other = horizontal[at]
            seen[at] = seen[other] = True
            loop += [points[at], points[other]]
            at = vertical[other]
        loops.append(loop)
    return loops


def _corners(
    mask: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """x, y of the corners, and whether their vertical edge goes up and their horizontal one left.

    A point where pixels touch by their corners only is there twice.
    """
    padded = np.pad(mask, 1)
    nw, ne, sw, se = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    left, right, up, down = nw != sw, ne != se, nw != ne, sw != se
    y, x = np.nonzero((left != right) & (up != down))
    goes_up, goes_left = up[y, x], left[y, x]
    ty, tx = np.nonzero(left & right & up & down)
    falling = nw[ty, tx]  # pixels at the upper left and lower right: keep each to its own corner
    first = (tx, ty, falling, np.ones(len(tx), bool))
    second = (tx, ty, ~falling, np.zeros(len(tx), bool))
    x, y, goes_up, goes_left = (
        np.concatenate(parts) for parts in zip((x, y, goes_up, goes_left), first, second, strict=True)
    )
    return x, y, goes_up, goes_left


def _cut_at_repeats(loop: list[tuple[int, int]]) -> list[Ring]:
    """Cut a loop where it meets itself, so that no ring has a corner twice."""
    if len(set(loop)) == len(loop):
        return [[(float(x), float(y)) for x, y in loop]]
    rings: list[Ring] = []
    path: list[tuple[int, int]] = []
    where: dict[tuple[int, int], int] = {}
    for point in loop:
        if point in where:
            start = where[point]
            rings.append([(float(x), float(y)) for x, y in path[start:]])
            for gone in path[start + 1 :]:
                del where[gone]
            del path[start + 1 :]
            continue
        where[point] = len(path)
        path.append(point)
    rings.append([(float(x), float(y)) for x, y in path])
    return rings


def _distances(
    points: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    along = end - start
    length = float(along @ along)
    share = ((points - start) @ along / length).clip(0, 1) if length else np.zeros(len(points))
    return np.asarray(np.hypot(*(points - start - share[:, None] * along).T))

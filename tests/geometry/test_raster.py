"""Drawing against slow references in exact fractions, and what holds at borders."""

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, nextafter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from seemkit.geometry.grid import Grid, as_grid
from seemkit.geometry.raster import draw_box, draw_clicks, draw_polygon, draw_stroke, resize_mask, sample_line

Points = list[tuple[float, float]]

small = st.integers(1, 12)
grids = st.builds(lambda h, w, rows, columns: Grid(h, w, (rows, columns)), small, small, small, small)


def points(grid: Grid, least: int = 1) -> st.SearchStrategy[Points]:
    rows, columns = grid.original
    quarter = st.tuples(st.integers(0, 4 * columns), st.integers(0, 4 * rows))
    return st.lists(quarter.map(lambda p: (p[0] / 4, p[1] / 4)), min_size=least, max_size=6)


def place(point: tuple[float, float], grid: Grid) -> tuple[Fraction, Fraction]:
    rows, columns = grid.original
    return Fraction(point[0]) * grid.width / columns, Fraction(point[1]) * grid.height / rows


def centres(grid: Grid) -> list[tuple[int, int, Fraction, Fraction]]:
    half = Fraction(1, 2)
    return [
        (row, column, column + half, row + half) for row in range(grid.height) for column in range(grid.width)
    ]


def squared_distance(
    x: Fraction, y: Fraction, start: tuple[Fraction, Fraction], end: tuple[Fraction, Fraction]
) -> Fraction:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    share = Fraction(0)
    if length:
        share = min(max(((x - start[0]) * dx + (y - start[1]) * dy) / length, Fraction(0)), Fraction(1))
    return (x - start[0] - share * dx) ** 2 + (y - start[1] - share * dy) ** 2


@given(st.data())
def test_a_click_selects_the_pixel_that_holds_it_and_its_neighbours(data: st.DataObject) -> None:
    grid = data.draw(grids)
    x, y = data.draw(points(grid))[0]
    at = place((x, y), grid)
    column, row = min(floor(at[0]), grid.width - 1), min(floor(at[1]), grid.height - 1)
    expected = np.zeros(grid.size, bool)
    for r, c, _, _ in centres(grid):
        expected[r, c] = abs(r - row) <= 1 and abs(c - column) <= 1
    assert np.array_equal(draw_clicks([(x, y)], grid), expected)


@given(st.data())
def test_a_box_selects_the_centres_strictly_inside(data: st.DataObject) -> None:
    grid = data.draw(grids)
    rows, columns = grid.original
    ends = [
        sorted((data.draw(st.integers(-8, 4 * n + 8)), data.draw(st.integers(-8, 4 * n + 8))))
        for n in (columns, rows)
    ]
    (x1, x2), (y1, y2) = ends
    box = (x1 / 4, y1 / 4, (x2 + 1) / 4, (y2 + 1) / 4)

    def selected(low: float, high: float, length: int, count: int) -> set[int]:
        if low >= length or high <= 0:
            return set()
        a, b = (Fraction(v) * count / length for v in (max(low, 0), min(high, length)))
        inside = {i for i in range(count) if a < i + Fraction(1, 2) < b}
        return inside or {i for i in range(count) if i <= (a + b) / 2 <= i + 1}

    expected = np.zeros(grid.size, bool)
    for r in selected(box[1], box[3], rows, grid.height):
        for c in selected(box[0], box[2], columns, grid.width):
            expected[r, c] = True
    assert np.array_equal(draw_box(box, grid), expected)


@given(st.data())
def test_a_polygon_selects_the_centres_inside_by_the_even_odd_rule(data: st.DataObject) -> None:
    grid = data.draw(grids)
    corners = data.draw(points(grid, least=3))
    placed = [place(corner, grid) for corner in corners]
    edges = list(zip(placed, placed[1:] + placed[:1], strict=True))
    drawn = draw_polygon(corners, grid)
    inside = np.zeros(grid.size, bool)
    border = np.zeros(grid.size, bool)
    for r, c, x, y in centres(grid):
        border[r, c] = any(squared_distance(x, y, a, b) == 0 for a, b in edges)
        crossings = [
            a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1]) for a, b in edges if (a[1] > y) != (b[1] > y)
        ]
        inside[r, c] = sum(at < x for at in crossings) % 2 == 1
    inside &= ~border
    if inside.any():
        assert np.array_equal(drawn[~border], inside[~border])
    else:
        assert drawn.any()


@given(st.data(), st.integers(1, 24))
def test_a_stroke_selects_the_centres_within_half_its_width(data: st.DataObject, quarters: int) -> None:
    size = data.draw(small)
    grid = Grid(size, size, (size * 2, size * 2))  # one scale, so that the radius is a fraction
    path = data.draw(points(grid))
    placed = [place(point, grid) for point in path]
    pairs = list(pairwise(placed)) or [(placed[0], placed[0])]
    radius = max(Fraction(quarters, 16), Fraction(7072, 10000))
    expected = np.zeros(grid.size, bool)
    for r, c, x, y in centres(grid):
        expected[r, c] = any(squared_distance(x, y, a, b) <= radius**2 for a, b in pairs)
    assert np.array_equal(draw_stroke(path, quarters / 4, grid), expected)


@given(st.data())
def test_a_resized_mask_shows_the_nearest_pixels(data: st.DataObject) -> None:
    grid = data.draw(grids)
    rows, columns = grid.original
    seed = data.draw(st.integers(0, 999))
    mask = np.random.default_rng(seed).random((rows, columns)) < data.draw(st.sampled_from((0.1, 0.5)))

    def nearest(cell: int, count: int, length: int) -> list[int]:
        at = Fraction(2 * cell + 1, 2) * length / count
        reach = min(abs(i + Fraction(1, 2) - at) for i in range(length))
        return [i for i in range(length) if abs(i + Fraction(1, 2) - at) == reach]

    expected = np.zeros(grid.size, bool)
    for r, c, _, _ in centres(grid):
        near = [mask[i, j] for i in nearest(r, grid.height, rows) for j in nearest(c, grid.width, columns)]
        expected[r, c] = any(near)
    resized = resize_mask(mask, grid)
    if expected.any():
        assert np.array_equal(resized, expected)
    assert resized.any() == mask.any()


@given(st.data())
def test_what_touches_the_image_selects_a_pixel(data: st.DataObject) -> None:
    grid = data.draw(grids)
    path = data.draw(points(grid, least=3))
    for drawn in (draw_clicks(path, grid), draw_polygon(path, grid), draw_stroke(path, 0.01, grid)):
        assert drawn.shape == grid.size
        assert drawn.any()


@given(small, small)
def test_a_mask_of_one_pixel_is_never_lost(height: int, width: int) -> None:
    for row, column in ((0, 0), (98, 76), (50, 3)):
        mask = np.zeros((99, 77), bool)
        mask[row, column] = True
        cells = np.argwhere(resize_mask(mask, Grid(height, width, (99, 77))))
        assert len(cells) >= 1
        for cell in cells:  # each overlaps the pixel
            assert row * height < (cell[0] + 1) * 99
            assert (row + 1) * height > cell[0] * 99
            assert column * width < (cell[1] + 1) * 77
            assert (column + 1) * width > cell[1] * 77


@pytest.mark.parametrize("grid", [Grid(480, 640), Grid(512, 683, (480, 640)), Grid(30, 40, (480, 640))])
def test_the_last_number_before_the_far_border_selects_the_last_pixels(grid: Grid) -> None:
    rows, columns = grid.original
    drawn = draw_clicks([(nextafter(columns, 0), nextafter(rows, 0))], grid)
    assert np.array_equal(np.argwhere(drawn).min(0), [grid.height - 2, grid.width - 2])
    assert drawn.sum() == 4


def test_zero_selects_the_first_pixels() -> None:
    assert np.array_equal(np.argwhere(draw_clicks([(0, 0)], Grid(5, 5))), [[0, 0], [0, 1], [1, 0], [1, 1]])


@pytest.mark.parametrize("click", [(-0.25, 3), (3, -0.25), (8.5, 3), (3, 1e30)])
def test_a_click_outside_selects_nothing(click: tuple[float, float]) -> None:
    assert not draw_clicks([click], Grid(8, 8)).any()


def test_a_box_covers_the_pixels_from_its_first_to_before_its_last_coordinate() -> None:
    drawn = draw_box((2, 3, 6, 5), Grid(10, 10))
    expected = np.zeros((10, 10), bool)
    expected[3:5, 2:6] = True
    assert np.array_equal(drawn, expected)


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((-1e300, -5, 3, 2), slice(0, 2), slice(0, 3)),
        ((7, 7, 1e300, 1e300), slice(7, 8), slice(7, 8)),
        ((-4, 2, 0.25, 4), slice(2, 4), slice(0, 1)),  # a quarter of a pixel lies on the image
        ((3.125, 3.125, 3.25, 3.25), slice(3, 4), slice(3, 4)),
        ((2.875, 0, 3.125, 1), slice(0, 1), slice(2, 4)),  # its middle is the border of two pixels
    ],
)
def test_a_box_is_clipped_and_never_vanishes(
    box: tuple[float, float, float, float], rows: slice, columns: slice
) -> None:
    expected = np.zeros((8, 8), bool)
    expected[rows, columns] = True
    assert np.array_equal(draw_box(box, Grid(8, 8)), expected)


@pytest.mark.parametrize("box", [(8, 0, 9, 2), (-3, 0, 0, 2), (0, 8, 2, 9), (0, -1, 2, 0)])
def test_a_box_beside_the_image_selects_nothing(box: tuple[float, float, float, float]) -> None:
    assert not draw_box(box, Grid(8, 8)).any()


def test_a_plain_size_is_an_image_that_is_its_own_grid() -> None:
    assert as_grid((5, 7)) == Grid(5, 7)
    assert as_grid((5, 7)).original == (5, 7)
    assert np.array_equal(draw_box((1, 1, 3, 3), (5, 7)), draw_box((1, 1, 3, 3), Grid(5, 7)))


@given(st.data())
def test_drawing_points_together_unites_what_each_selects_in_any_order(data: st.DataObject) -> None:
    grid = data.draw(grids)
    clicks = data.draw(points(grid))
    united = np.zeros(grid.size, bool)
    for click in clicks:
        united |= draw_clicks([click], grid)
    assert np.array_equal(draw_clicks(clicks, grid), united)
    assert np.array_equal(draw_clicks(clicks[::-1] + clicks[:1], grid), united)


@given(st.data(), st.integers(1, 30))
def test_a_stroke_there_is_the_stroke_back_and_the_union_of_its_segments(
    data: st.DataObject, quarters: int
) -> None:
    grid = data.draw(grids)
    path = data.draw(points(grid, least=2))
    drawn = draw_stroke(path, quarters / 4, grid)
    segments = [draw_stroke(pair, quarters / 4, grid) for pair in pairwise(path)]
    assert np.array_equal(drawn, np.logical_or.reduce(segments))
    assert np.array_equal(drawn, draw_stroke(path[::-1], quarters / 4, grid))


@given(st.data())
def test_a_polygon_may_start_at_any_corner_and_run_either_way(data: st.DataObject) -> None:
    grid = data.draw(grids)
    corners = data.draw(points(grid, least=3))
    drawn = draw_polygon(corners, grid)
    assert np.array_equal(draw_polygon(corners[1:] + corners[:1], grid), drawn)
    assert np.array_equal(draw_polygon(corners[::-1], grid), drawn)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=5), st.floats(0.2, 9))
def test_a_sampled_line_keeps_its_points_and_steps_no_further_than_asked(path: Points, step: float) -> None:
    line: NDArray[np.float64] = sample_line(path, step)
    assert tuple(line[0]) == path[0]
    assert np.allclose(line[-1], path[-1])
    assert (np.hypot(*np.diff(line, axis=0).T) <= step + 1e-9).all()
    shortest = sum(ceil(np.hypot(b[0] - a[0], b[1] - a[1]) / step - 1e-9) for a, b in pairwise(path))
    assert len(line) >= shortest + 1


def test_points_are_placed_by_the_ratio_of_grid_and_image() -> None:
    grid = Grid(384, 512, (768, 1024))
    assert grid.scale == (0.5, 0.5)
    assert np.array_equal(grid.place([(0, 0), (1024, 768), (10, 20)]), [[0, 0], [512, 384], [5, 10]])

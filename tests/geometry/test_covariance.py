"""Regions follow the image: mirrored or scaled shapes select mirrored or the same pixels, on any grid.

Coordinates are multiples of a quarter pixel: borders and centres of pixels are hit often and exactly.
"""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from seemkit.geometry.grid import Grid
from seemkit.geometry.raster import draw_box, draw_clicks, draw_polygon, draw_stroke, resize_mask

Points = list[tuple[float, float]]

lengths = st.integers(1, 40)
grids = st.builds(
    lambda height, width, rows, columns: Grid(height, width, (rows, columns)),
    lengths,
    lengths,
    lengths,
    lengths,
)
"""Any grid for any image: larger, smaller, of another aspect."""


def coordinates(length: int, *, beyond: int = 0) -> st.SearchStrategy[float]:
    """Quarter pixels from -beyond to length + beyond."""
    return st.integers(-4 * beyond, 4 * (length + beyond)).map(lambda n: n / 4)


def points(grid: Grid, *, least: int = 1, most: int = 7) -> st.SearchStrategy[Points]:
    """Points (x, y) on the image, far borders included."""
    rows, columns = grid.original
    return st.lists(st.tuples(coordinates(columns), coordinates(rows)), min_size=least, max_size=most)


def boxes(grid: Grid, *, beyond: int = 3) -> st.SearchStrategy[tuple[float, float, float, float]]:
    """Boxes (x1, y1, x2, y2) that may leave the image, of a positive size."""
    rows, columns = grid.original

    def side(length: int) -> st.SearchStrategy[tuple[float, float]]:
        pair = st.tuples(coordinates(length, beyond=beyond), coordinates(length, beyond=beyond))
        return pair.filter(lambda ends: ends[0] < ends[1])

    return st.tuples(side(columns), side(rows)).map(lambda xy: (xy[0][0], xy[1][0], xy[0][1], xy[1][1]))


def masks(rows: int, columns: int) -> st.SearchStrategy[NDArray[np.bool_]]:
    """Masks of mixed density, empty and full ones among them."""

    def draw(seed: int, share: float) -> NDArray[np.bool_]:
        return np.random.default_rng(seed).random((rows, columns)) < share

    return st.builds(draw, st.integers(0, 2**16), st.sampled_from((0.0, 0.02, 0.3, 0.7, 1.0)))


AXES = pytest.mark.parametrize("axis", ["x", "y"])


def mirror_points(points: Points, grid: Grid, axis: str) -> Points:
    rows, columns = grid.original
    return [(columns - x, y) if axis == "x" else (x, rows - y) for x, y in points]


def mirror_pixels(mask: NDArray[np.bool_], axis: str) -> NDArray[np.bool_]:
    return mask[:, ::-1] if axis == "x" else mask[::-1]


@AXES
@given(st.data())
def test_a_mirrored_click_gives_the_mirrored_pixels(axis: str, data: st.DataObject) -> None:
    grid = data.draw(grids)
    click = data.draw(points(grid, most=1))
    placed = grid.place(click)[0]["xy".index(axis)]
    assume(placed != int(placed))  # a border belongs to the pixel behind it, mirrored or not
    expected = mirror_pixels(draw_clicks(click, grid), axis)
    assert np.array_equal(draw_clicks(mirror_points(click, grid, axis), grid), expected)


@AXES
@given(st.data())
def test_a_click_on_a_pixel_centre_of_an_image_that_is_its_own_grid_is_mirrored(
    axis: str, data: st.DataObject
) -> None:
    height, width = data.draw(lengths), data.draw(lengths)
    column, row = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    grid, click = Grid(height, width), [(column + 0.5, row + 0.5)]
    expected = mirror_pixels(draw_clicks(click, grid), axis)
    assert np.array_equal(draw_clicks(mirror_points(click, grid, axis), grid), expected)


@AXES
@given(st.data())
def test_a_mirrored_box_gives_the_mirrored_pixels(axis: str, data: st.DataObject) -> None:
    grid = data.draw(grids)
    x1, y1, x2, y2 = data.draw(boxes(grid))
    (a, b), (c, d) = mirror_points([(x1, y1), (x2, y2)], grid, axis)
    mirrored = (min(a, c), min(b, d), max(a, c), max(b, d))
    assert np.array_equal(draw_box(mirrored, grid), mirror_pixels(draw_box((x1, y1, x2, y2), grid), axis))


@AXES
@given(st.data())
def test_a_mirrored_polygon_gives_the_mirrored_pixels(axis: str, data: st.DataObject) -> None:
    grid = data.draw(grids)
    corners = data.draw(points(grid, least=3))
    expected = mirror_pixels(draw_polygon(corners, grid), axis)
    assert np.array_equal(draw_polygon(mirror_points(corners, grid, axis), grid), expected)


@AXES
@given(st.data(), st.integers(1, 40))
def test_a_mirrored_stroke_gives_the_mirrored_pixels(axis: str, data: st.DataObject, quarters: int) -> None:
    grid = data.draw(grids)
    path = data.draw(points(grid))
    expected = mirror_pixels(draw_stroke(path, quarters / 4, grid), axis)
    assert np.array_equal(draw_stroke(mirror_points(path, grid, axis), quarters / 4, grid), expected)


@AXES
@given(st.data())
def test_a_mirrored_mask_gives_the_mirrored_pixels(axis: str, data: st.DataObject) -> None:
    grid = data.draw(grids)
    mask = data.draw(masks(*grid.original))
    assert np.array_equal(
        resize_mask(mirror_pixels(mask, axis), grid), mirror_pixels(resize_mask(mask, grid), axis)
    )


FACTORS = st.integers(1, 5)


def scale_image(grid: Grid, factor: int) -> Grid:
    """The same input grid for an image that is `factor` times as large."""
    rows, columns = grid.original
    return Grid(grid.height, grid.width, (rows * factor, columns * factor))


@given(st.data(), FACTORS)
def test_clicks_do_not_depend_on_the_scale_of_the_image(data: st.DataObject, factor: int) -> None:
    grid = data.draw(grids)
    clicks = data.draw(points(grid))
    scaled = [(factor * x, factor * y) for x, y in clicks]
    assert np.array_equal(draw_clicks(scaled, scale_image(grid, factor)), draw_clicks(clicks, grid))


@given(st.data(), FACTORS)
def test_boxes_do_not_depend_on_the_scale_of_the_image(data: st.DataObject, factor: int) -> None:
    grid = data.draw(grids)
    x1, y1, x2, y2 = data.draw(boxes(grid))
    scaled = (factor * x1, factor * y1, factor * x2, factor * y2)
    assert np.array_equal(draw_box(scaled, scale_image(grid, factor)), draw_box((x1, y1, x2, y2), grid))


@given(st.data(), FACTORS)
def test_polygons_do_not_depend_on_the_scale_of_the_image(data: st.DataObject, factor: int) -> None:
    grid = data.draw(grids)
    corners = data.draw(points(grid, least=3))
    scaled = [(factor * x, factor * y) for x, y in corners]
    assert np.array_equal(draw_polygon(scaled, scale_image(grid, factor)), draw_polygon(corners, grid))


@given(st.data(), FACTORS, st.integers(1, 40))
def test_strokes_do_not_depend_on_the_scale_of_the_image(
    data: st.DataObject, factor: int, quarters: int
) -> None:
    grid = data.draw(grids)
    path = data.draw(points(grid))
    scaled = [(factor * x, factor * y) for x, y in path]
    drawn = draw_stroke(scaled, factor * quarters / 4, scale_image(grid, factor))
    assert np.array_equal(drawn, draw_stroke(path, quarters / 4, grid))


@given(st.data(), FACTORS)
def test_masks_do_not_depend_on_the_scale_of_the_image(data: st.DataObject, factor: int) -> None:
    """Held for whole cells: a mask on its own grid, its pixels repeated, comes back as it was."""
    grid = data.draw(grids)
    mask = data.draw(masks(grid.height, grid.width))
    large = mask.repeat(factor, 0).repeat(factor, 1)
    assert np.array_equal(resize_mask(large, Grid(grid.height, grid.width, large.shape)), mask)


@given(st.data(), st.integers(1, 5))
def test_a_grid_that_is_finer_shows_every_pixel_of_a_mask_as_a_block(
    data: st.DataObject, factor: int
) -> None:
    mask = data.draw(masks(data.draw(lengths), data.draw(lengths)))
    grid = Grid(mask.shape[0] * factor, mask.shape[1] * factor, mask.shape)
    assert np.array_equal(resize_mask(mask, grid), mask.repeat(factor, 0).repeat(factor, 1))

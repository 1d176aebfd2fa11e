"""Outlines: proper crossings are found, touching is allowed, areas are exact."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seemkit.geometry.outline import check_outline, crossing_edges, enclosed_area

Corner = tuple[float, float]
corner_lists = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=3, max_size=9)


def crossing_by_fractions(corners: list[Corner]) -> bool:
    def turn(a: Corner, b: Corner, c: Corner) -> Fraction:
        (ax, ay), (bx, by), (cx, cy) = (tuple(map(Fraction, p)) for p in (a, b, c))
        return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)

    edges = list(zip(corners, corners[1:] + corners[:1], strict=True))
    return any(
        turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
        for i, (a, b) in enumerate(edges)
        for c, d in edges[i + 1 :]
    )


@given(corner_lists)
def test_crossings_agree_with_exact_arithmetic(corners: list[Corner]) -> None:
    assert (crossing_edges(corners) is not None) == crossing_by_fractions(corners)


@given(corner_lists, st.integers(0, 8))
def test_crossings_do_not_depend_on_the_first_corner_or_the_direction(
    corners: list[Corner], turn: int
) -> None:
    turned = corners[turn % len(corners) :] + corners[: turn % len(corners)]
    assert (crossing_edges(turned) is None) == (crossing_edges(corners) is None)
    assert (crossing_edges(corners[::-1]) is None) == (crossing_edges(corners) is None)


def test_the_two_edges_that_cross_are_named() -> None:
    assert crossing_edges([(0, 0), (10, 10), (10, 0), (0, 10)]) == (0, 2)


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (4, 0), (4, 4), (0, 4)],
        [(0, 0), (4, 0), (4, 4), (4, 0), (0, 4)],  # an edge there and back
        [(0, 0), (4, 0), (2, 0), (2, 4)],  # a corner on an edge
        [(0, 0), (2, 2), (4, 0), (4, 4), (2, 2), (0, 4)],  # two loops that meet in a corner
    ],
)
def test_touching_is_not_crossing(corners: list[Corner]) -> None:
    assert crossing_edges(corners) is None


@pytest.mark.parametrize("count", [300, 700])
def test_long_outlines_are_checked_whole(count: int) -> None:
    """More corners than are looked at in one go: a circle, until two far corners are swapped."""
    at = np.linspace(0, 2 * np.pi, count, endpoint=False)
    circle = np.stack((500 + 400 * np.cos(at), 500 + 400 * np.sin(at)), axis=1)
    assert crossing_edges(circle) is None
    circle[[10, count - 10]] = circle[[count - 10, 10]]
    assert crossing_edges(circle) is not None


@given(corner_lists)
def test_the_area_is_the_shoelace_sum(corners: list[Corner]) -> None:
    edges = zip(corners, corners[1:] + corners[:1], strict=True)
    assert enclosed_area(corners) == abs(sum(a[0] * b[1] - a[1] * b[0] for a, b in edges)) / 2


@pytest.mark.parametrize(
    ("corners", "sentence"),
    [
        ([(1, 1), (2, 2)], "loop has 2 different corners, expected 3 at least"),
        ([(1, 1), (2, 2), (1, 1), (2, 2)], "loop has 2 different corners, expected 3 at least"),
        ([(1, 1), (2, 2), (3, 3)], "loop encloses no area: its corners lie on one line or its loops cancel"),
        (
            [(0, 0), (10, 10.5), (10, 0), (0, 10)],
            "loop crosses itself: its edge 0 from (0, 0) to (10, 10.5) "
            "meets its edge 2 from (10, 0) to (0, 10)",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(corners: list[Corner], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_outline(corners, "loop")
    assert str(caught.value) == sentence


def test_corners_beyond_all_measure_are_no_error_here() -> None:
    # Their squares overflow to infinity; that they lie outside the image is for the check of the prompt to say.
    check_outline([(1e300, 0), (5, 50), (0, 5)], "polygon")

"""The lasso: what it selects, reads and simulates."""

import numpy as np
import pytest
from seemkit_lasso.lasso import Lasso

from seemkit.api import Grid, PromptError

SQUARE = [(2, 2), (20, 2), (20, 20), (2, 20)]


def test_the_object_lies_within_the_loop() -> None:
    region = Lasso(points=SQUARE).region(Grid(24, 24))
    expected = np.zeros((24, 24), bool)
    expected[2:20, 2:20] = True
    assert np.array_equal(region.mask, expected)
    assert region.kind == "extent"


def test_it_comes_back_from_json() -> None:
    lasso = Lasso(points=SQUARE, object="dog", include=False)
    assert Lasso.model_validate_json(lasso.model_dump_json()) == lasso


def test_the_flag_is_a_list_of_points() -> None:
    assert Lasso.parse("2,2 20,2 20,20 2,20") == Lasso(points=SQUARE)
    with pytest.raises(PromptError, match="--lasso '1' has 1 numbers"):
        Lasso.parse("1")


def test_two_points_are_no_loop_and_points_lie_on_the_image() -> None:
    with pytest.raises(PromptError, match="expected 3 items at least"):
        Lasso(points=SQUARE[:2])
    with pytest.raises(
        PromptError, match=r"lasso points\[1\]\.x=20 lies outside the image: expected 0 <= x <= 10"
    ):
        Lasso(points=SQUARE).check((10, 10))


def test_a_simulated_loop_holds_the_object() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:25, 12:30] = True
    lasso = Lasso.simulate(mask, np.random.default_rng(0))
    assert lasso is not None
    assert lasso.region(Grid(40, 40)).mask[mask].all()
    assert Lasso.simulate(np.zeros((4, 4), bool), np.random.default_rng(0)) is None

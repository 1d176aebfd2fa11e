"""The prompt `lasso` keeps the contract of prompts, and selects what it says."""

import numpy as np
import pytest
from seemkit.api import Grid, PromptError
from seemkit.testing import PromptContract

from seemkit_lasso.lasso import Lasso

SQUARE = [(2, 2), (20, 2), (20, 20), (2, 20)]


class TestLasso(PromptContract):
    prompt = Lasso
    flags = {"2,2 20,2 20,20 2,20": Lasso(points=SQUARE)}


def test_the_object_lies_within_the_loop() -> None:
    region = Lasso(points=SQUARE).region(Grid(24, 24))
    expected = np.zeros((24, 24), bool)
    expected[2:20, 2:20] = True
    assert np.array_equal(region.mask, expected)
    assert region.kind == "extent"


def test_two_points_are_no_loop() -> None:
    with pytest.raises(PromptError, match="expected 3 items at least"):
        Lasso(points=SQUARE[:2])

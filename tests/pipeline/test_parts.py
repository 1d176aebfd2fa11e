"""`select="parts"`: nested candidates on made masks by hand, and what a model gives."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import seemkit
from seemkit import Model
from seemkit.geometry.grid import Grid
from seemkit.pipeline.parts import nested_rows, pointed_at
from seemkit.prompts import Box, Point


def square(size: int, left: int = 2) -> Tensor:
    """Logits (20, 20) of a square."""
    logits = torch.full((20, 20), -1.0)
    logits[2 : 2 + size, left : left + size] = 1.0
    return logits


def test_rows_within_each_other_come_largest_first_and_the_answer_is_one_of_them() -> None:
    logits = torch.stack([square(10), square(4), square(16)])
    assert nested_rows(logits) == [2, 0, 1]


def test_a_row_that_lies_elsewhere_or_nearly_is_the_same_is_no_level() -> None:
    beside = square(4, left=14)  # two columns overlap with a square of 14
    nearly = square(9)  # 81 of 100 pixels
    assert nested_rows(torch.stack([square(10), nearly, beside, square(5)])) == [0, 3]
    assert nested_rows(torch.stack([square(10), torch.full((20, 20), -1.0)])) == [0]


def test_there_are_at_most_three_levels_and_the_likelier_rows_come_first() -> None:
    logits = torch.stack([square(18), square(12), square(8), square(4)])
    assert nested_rows(logits) == [0, 1, 2]


def test_a_level_holds_what_was_pointed_at() -> None:
    pointed = torch.zeros(20, 20, dtype=torch.bool)
    pointed[10, 10] = True
    logits = torch.stack([square(16), square(4), square(10)])
    assert nested_rows(logits, pointed) == [0, 2]


def test_only_exact_prompts_that_include_point() -> None:
    grid = Grid(80, 80)
    assert pointed_at([Point(x=40, y=9)], grid, (20, 20)).nonzero().tolist() == [[2, 9], [2, 10]]
    outside = [Point(x=41, y=9, include=False), Box(x1=0, y1=0, x2=40, y2=40)]
    assert not pointed_at(outside, grid, (20, 20)).any()
    assert pointed_at([Point(x=81, y=81)], Grid(82, 82), (20, 20)).nonzero().tolist() == [[19, 19]]


@pytest.mark.parametrize("preset", ["seem_v0", "seem_v1", "nano"])
def test_the_answer_is_among_the_levels_and_they_are_nested(
    preset: str, tiny_model: Callable[[str], Model], photo: NDArray[np.uint8]
) -> None:
    model = tiny_model(preset)
    scene = model.encode(photo)
    prompts = [Point(x=20, y=20), Point(x=60, y=50, object="2")]
    nested, best = model.segment(scene, prompts, select="parts"), model.segment(scene, prompts)
    assert set(nested.objects) == {"1", "2"}
    for name, answer in zip(best.objects, best.logits, strict=True):
        mine = [k for k, own in enumerate(nested.objects) if own == name]
        assert 1 <= len(mine) <= 3
        assert any(np.allclose(nested.logits[k], answer, atol=1e-5) for k in mine)
        areas = [int((nested.logits[k] > 0).sum()) for k in mine]
        assert areas == sorted(areas, reverse=True)


def test_nano_offers_levels_of_a_photo() -> None:
    import skimage.data

    model = seemkit.load("nano")
    scene = model.encode(skimage.data.chelsea())
    nested = model.segment(scene, Point(x=230, y=150), vocabulary=["cat", "dog"], select="parts")
    assert len(nested.labels) == len(nested) >= 1
    for large, small in zip(nested.masks, nested.masks[1:], strict=False):
        assert (small & large).sum() >= 0.85 * small.sum()

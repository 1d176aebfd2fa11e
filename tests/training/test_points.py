"""Points: on the picture, where maps are sampled exactly, and drawn view by view."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seemkit.training.points import PointDraws, sample_maps

CPU = torch.device("cpu")


def bilinear(image: Tensor, x: float, y: float) -> float:
    """One value of an image (h, w) at (x, y) in [0, 1] of its sides; pixel i has its centre at i + 1/2."""
    h, w = image.shape
    column, row = x * w - 0.5, y * h - 0.5
    total = 0.0
    for i in (math.floor(row), math.floor(row) + 1):
        for j in (math.floor(column), math.floor(column) + 1):
            if 0 <= i < h and 0 <= j < w:
                total += float(image[i, j]) * (1 - abs(row - i)) * (1 - abs(column - j))
    return total


def test_maps_are_sampled_where_the_points_lie() -> None:
    torch.manual_seed(0)
    maps, xy = torch.randn(2, 3, 5, 7), torch.rand(2, 11, 2)
    out = sample_maps(maps, xy)
    for n in range(2):
        for q in range(3):
            for p in range(11):
                assert float(out[n, q, p]) == pytest.approx(
                    bilinear(maps[n, q], *xy[n, p].tolist()), abs=1e-5
                )


def draws(*seeds: int, valid: tuple[tuple[int, int], ...] = ((96, 192), (48, 24))) -> PointDraws:
    return PointDraws([torch.Generator().manual_seed(seed) for seed in seeds], valid, 192, CPU)


def test_points_lie_on_the_picture_and_not_on_its_padding() -> None:
    xy = draws(0, 1).shared(5000)
    assert xy.shape == (2, 5000, 2)
    for n, (height, width) in enumerate(((96, 192), (48, 24))):
        most = xy[n].amax(0)
        assert 0.98 * width / 192 < float(most[0]) <= width / 192
        assert 0.98 * height / 192 < float(most[1]) <= height / 192


def test_every_pair_has_points_of_its_own_from_the_view_that_it_is_of() -> None:
    xy = draws(0, 1).each([2, 1], 6)
    assert xy.shape == (3, 6, 2)
    assert len({tuple(row.flatten().tolist()) for row in xy}) == 3
    assert float(xy[2, :, 0].max()) <= 24 / 192


def test_the_draws_of_a_view_do_not_depend_on_the_others() -> None:
    both, alone = draws(0, 1), draws(1, valid=((48, 24),))
    assert torch.equal(both.shared(7)[1], alone.shared(7)[0])
    assert torch.equal(both.each([2, 3], 7)[2:], alone.each([3], 7))


def test_no_point_lies_where_nothing_counts() -> None:
    ignored = np.ones((192, 192), bool)
    ignored[40:50, 100:104] = False  # 40 pixels of 9,216
    ignored[100:] = False  # padding, which is no part of the picture
    drawn = PointDraws([torch.Generator().manual_seed(0)], [(96, 192)], 192, CPU, [ignored])
    xy = 192 * drawn.shared(2000)[0]
    low, high = xy.amin(0), xy.amax(0)
    assert (100 <= float(low[0]) < 100.1, 104 > float(high[0]) > 103.9) == (True, True)
    assert (40 <= float(low[1]) < 40.1, 50 > float(high[1]) > 49.9) == (True, True)
    pixels = xy.long()
    _, hits = (pixels[:, 1] * 192 + pixels[:, 0]).unique(return_counts=True)
    assert len(hits) == 40, "each of them"
    assert hits.float().std() < 15, "alike: 50 on the average, 7 by chance"


def test_a_picture_of_which_nothing_counts_has_points_all_the_same() -> None:
    ignored = np.ones((192, 192), bool)
    drawn = PointDraws([torch.Generator().manual_seed(0)], [(96, 192)], 192, CPU, [ignored])
    assert drawn.each([2], 5).shape == (2, 5, 2)

"""The mask term that follows points: where it is high, what it leaves alone, how it is thinned."""

from typing import Any

import pytest
import torch
from torch import Tensor

from seemkit.network.guidance import POINTS, Guidance, thin
from seemkit.network.resampling import bilinear
from seemkit.network.sampler import PointBatch


def points(xy: list[list[list[float]]], negative: list[list[bool]], padding: list[list[bool]]) -> PointBatch:
    no = torch.zeros(len(xy), len(xy[0]), dtype=torch.bool)
    return PointBatch(torch.tensor(xy), torch.tensor(negative), no, torch.tensor(padding))


@pytest.fixture
def guidance() -> Guidance:
    torch.manual_seed(0)
    return Guidance(8)


@pytest.fixture
def features() -> Tensor:
    return torch.randn(1, 8, 12, 16, generator=torch.Generator().manual_seed(1))


def term(guidance: Guidance, *given: Any) -> Tensor:
    """The logits alone, without the kernels that they are made of."""
    logits: Tensor = guidance(*given)[0]
    return logits


def test_a_click_raises_its_own_pixel_most_and_a_negative_click_lowers_it(
    guidance: Guidance, features: Tensor
) -> None:
    column, row = 5, 7
    at = [[(column + 0.5) / 16, (row + 0.5) / 12]]
    for negative in (False, True):
        bias = term(guidance, features, points([at], [[negative]], [[False]]), None)[0]
        signed = -bias if negative else bias
        assert bias.shape == (12, 16)
        assert divmod(int(signed.argmax()), 16) == (row, column)
        assert (signed >= 0).all()


def test_padded_points_and_objects_without_points_add_nothing(guidance: Guidance, features: Tensor) -> None:
    at = [0.3, 0.4]
    one = term(guidance, features, points([[at]], [[False]], [[False]]), None)
    padded = term(guidance, features, points([[at, [0.9, 0.9]]], [[False, False]], [[False, True]]), None)
    assert torch.allclose(one, padded, atol=1e-5)
    none = term(guidance, features, points([[at]], [[False]], [[True]]), None)
    assert not none.any()


def test_objects_do_not_meet(guidance: Guidance, features: Tensor) -> None:
    first, second = [[0.3, 0.4]], [[0.8, 0.2]]
    alone = term(guidance, features, points([first], [[False]], [[False]]), None)
    both = term(guidance, features, points([first, second], [[False], [True]], [[False], [False]]), None)
    assert torch.allclose(alone[0], both[0], atol=1e-6)


def test_the_term_is_the_highest_kernel_of_each_sign_and_kind(guidance: Guidance, features: Tensor) -> None:
    """Against the definition, written out point by point and cell by cell."""
    torch.manual_seed(2)
    n, t, (h, w) = 3, 5, features.shape[-2:]
    negative, extent, padding = (torch.rand(n, t) > share for share in (0.6, 0.5, 0.8))
    given = PointBatch(torch.rand(n, t, 2), negative, extent, padding)
    looks = torch.nn.functional.normalize(guidance.proj(features[0].permute(1, 2, 0)), dim=-1)
    at_points = bilinear(guidance.proj(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), given.xy)
    at_points = torch.nn.functional.normalize(at_points, dim=-1)
    expected = torch.zeros(n, h, w)
    for i in range(n):
        for row in range(h):
            for column in range(w):
                highest: dict[tuple[bool, bool, int], float] = {}
                for k in range(t):
                    dx = (float(given.xy[i, k, 0]) * w - column - 0.5) / max(h, w)
                    dy = (float(given.xy[i, k, 1]) * h - row - 0.5) / max(h, w)
                    unlike = 1 - float(at_points[i, k] @ looks[row, column])
                    for scale in range(3):
                        fall = guidance.looks[scale].abs() * unlike + guidance.near[scale].exp() * (
                            dx**2 + dy**2
                        )
                        key = (bool(negative[i, k]), bool(extent[i, k]), scale)
                        if not padding[i, k]:
                            highest[key] = max(highest.get(key, 0.0), float(torch.exp(-fall)))
                expected[i, row, column] = sum(
                    (-1 if sign else 1) * float(guidance.gain[int(sign), int(kind), scale]) * value
                    for (sign, kind, scale), value in highest.items()
                )
    assert torch.allclose(term(guidance, features, given, None), expected, atol=1e-5)


def test_the_round_before_counts_up_to_its_reach_where_somebody_points(
    guidance: Guidance, features: Tensor
) -> None:
    no = torch.zeros(2, 1, dtype=torch.bool)
    given = PointBatch(torch.full((2, 1, 2), 0.5), no, no, torch.tensor([[False], [True]]))
    previous = torch.full((2, 12, 16), 100.0)
    previous[:, 0, 0] = -2.0
    more = term(guidance, features, given, previous) - term(guidance, features, given, None)
    assert torch.allclose(more[0, 5, 5], 8.0 * guidance.memory)
    assert torch.allclose(more[0, 0, 0], -2.0 * guidance.memory)
    assert not more[1].any()  # it is followed, and has moved since
    nobody = PointBatch(torch.zeros(2, 0, 2), *(torch.zeros(2, 0, dtype=torch.bool) for _ in range(3)))
    assert not term(guidance, features, nobody, previous).any()


def test_many_points_are_thinned_evenly_and_few_are_kept() -> None:
    count = 3 * POINTS
    xy = torch.stack((torch.arange(count) / count, torch.zeros(count)), dim=-1).expand(2, -1, -1)
    padding = torch.zeros(2, count, dtype=torch.bool)
    padding[1, 10:] = True
    no = torch.zeros(2, count, dtype=torch.bool)
    found = thin(PointBatch(xy, no, no, padding), POINTS)
    assert found.xy.shape == (2, POINTS, 2)
    assert not found.padding[0].any()
    assert (found.xy[0, :, 0].diff() > 0).all()  # in order, none twice
    assert torch.equal(found.xy[1, :10], xy[1, :10])
    assert int((~found.padding[1]).sum()) == 10

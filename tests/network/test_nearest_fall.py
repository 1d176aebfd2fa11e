"""The least product over the points that count: expected values and gradients come from torch's amin on all of them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seemkit.network.nearest_fall import nearest_fall


def whole(spots: Tensor, cells: Tensor, mine: Tensor) -> Tensor:
    each = len(spots) // len(cells)
    fall = torch.stack([spots[i] @ cells[i // each] for i in range(len(spots))])
    return torch.stack([fall.masked_fill(~way[:, None, :, None], torch.inf).amin(2) for way in mine])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    images=st.integers(1, 3),
    each=st.integers(1, 3),
    kernels=st.integers(1, 3),
    points=st.integers(1, 6),
    ways=st.integers(1, 4),
    share=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_values_and_gradients_are_those_of_amin(
    seed: int, images: int, each: int, kernels: int, points: int, ways: int, share: float
) -> None:
    torch.manual_seed(seed)
    spots = torch.randn(images * each, kernels, points, 5, dtype=torch.float64, requires_grad=True)
    cells = torch.randn(images, 5, 7, dtype=torch.float64, requires_grad=True)
    mine = torch.rand(ways, images * each, points) < share
    found, expected = nearest_fall(spots, cells, mine), whole(spots, cells, mine)
    assert torch.allclose(found, expected)
    weight = torch.rand_like(expected)
    gradients = [
        torch.autograd.grad((weight * torch.exp(-x)).sum(), (spots, cells)) for x in (found, expected)
    ]
    for ours, theirs in zip(*gradients, strict=True):
        assert torch.allclose(ours, theirs)


def test_of_equal_points_one_takes_the_gradient() -> None:
    spots = torch.ones(1, 1, 2, 1, requires_grad=True)
    nearest_fall(spots, torch.ones(1, 1, 3), torch.ones(1, 1, 2, dtype=torch.bool)).sum().backward()
    assert spots.grad is not None
    assert spots.grad.sum() == pytest.approx(3)


@pytest.mark.parametrize("at_once", [1, 3 * 4 * 7 * 2, 10**6])
def test_without_a_gradient_a_few_objects_at_a_time_give_the_same(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seemkit.network.nearest_fall.AT_ONCE", {"cpu": at_once})
    torch.manual_seed(0)
    spots, cells = torch.randn(6, 3, 4, 5), torch.randn(2, 5, 7)
    mine = torch.rand(4, 6, 4) > 0.5
    assert torch.allclose(nearest_fall(spots, cells, mine), whole(spots, cells, mine), atol=1e-5)


@pytest.mark.parametrize("learns", [False, True])
def test_all_points_count_where_nobody_says_which(learns: bool) -> None:
    spots, cells = torch.randn(4, 3, 5, 6).requires_grad_(learns), torch.randn(2, 6, 40)
    every = torch.ones(1, 4, 5, dtype=torch.bool)
    assert torch.allclose(nearest_fall(spots, cells, None), whole(spots, cells, every), atol=1e-5)

"""Mask losses against a computation point by point; the points are the telling ones."""

import pytest
import torch
from torch.nn import functional

from seemkit.training.mask_losses import Sampling, choose_points, mask_losses
from seemkit.training.points import sample_maps

SAMPLING = Sampling(points=8, oversample=3.0, important=0.75)


def test_published_numbers_of_points_are_the_defaults() -> None:
    # SEEM: 12544 points, three times as many drawn, 9408 of them kept, 3136 new ones
    sampling = Sampling()
    assert (sampling.points, sampling.drawn, sampling.kept) == (12544, 37632, 9408)
    assert sampling.total == 37632 + 3136


def test_least_certain_points_are_kept_and_new_ones_added() -> None:
    torch.manual_seed(0)
    logits, xy = torch.randn(2, 6, 6), torch.rand(2, SAMPLING.total, 2)
    chosen = choose_points(logits, xy, SAMPLING)
    assert chosen.shape == (2, 8, 2)
    for k in range(2):
        doubt = sample_maps(logits[k : k + 1, None], xy[k : k + 1, :24])[0, 0].abs()
        expected = xy[k, doubt.argsort()[:6]]
        assert {tuple(p) for p in chosen[k, :6].tolist()} == {tuple(p) for p in expected.tolist()}
        assert torch.equal(chosen[k, 6:], xy[k, 24:])


def test_losses_are_those_of_a_naive_computation() -> None:
    torch.manual_seed(1)
    logits, truth = 2 * torch.randn(3, 6, 6), (torch.rand(3, 24, 24) > 0.5).float()
    xy = torch.rand(3, SAMPLING.total, 2)
    bce, dice = mask_losses(logits, truth, xy, SAMPLING)
    chosen = choose_points(logits, xy, SAMPLING)
    for k in range(3):
        said = sample_maps(logits[k : k + 1, None], chosen[k : k + 1])[0, 0]
        wanted = sample_maps(truth[k : k + 1, None], chosen[k : k + 1])[0, 0]
        assert float(bce[k]) == pytest.approx(
            float(functional.binary_cross_entropy_with_logits(said, wanted)), abs=1e-5
        )
        p = said.sigmoid()
        assert float(dice[k]) == pytest.approx(
            1 - (2 * float((p * wanted).sum()) + 1) / (float(p.sum() + wanted.sum()) + 1), abs=1e-5
        )


def test_a_right_mask_costs_less() -> None:
    truth = torch.zeros(1, 32, 32)
    truth[:, 8:24, 4:20] = 1
    right = 10 * (functional.avg_pool2d(truth[None], 4)[0] - 0.5)
    xy = torch.rand(1, Sampling(200).total, 2, generator=torch.Generator().manual_seed(0))
    good, bad = (mask_losses(x, truth, xy, Sampling(200)) for x in (right, -right))
    assert float(good[0]) < 0.5 < float(bad[0])
    assert float(good[1]) < float(bad[1])


def test_gradients_reach_the_logits() -> None:
    logits = torch.randn(1, 8, 8, requires_grad=True)
    bce, dice = mask_losses(logits, torch.ones(1, 32, 32), torch.rand(1, SAMPLING.total, 2), SAMPLING)
    (bce + dice).sum().backward()
    assert logits.grad is not None
    assert logits.grad.any()

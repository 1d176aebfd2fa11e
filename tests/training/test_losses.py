"""Mask losses against a computation that goes pixel by pixel and candidate by candidate."""

import math

import pytest
import torch
from torch import Tensor

from seemkit.training.losses import dice, mask_losses, random_points, sample_logits

WEIGHTS = (2.0, 5.0, 5.0)


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
    out = sample_logits(maps, xy)
    for n in range(2):
        for q in range(3):
            for p in range(11):
                assert float(out[n, q, p]) == pytest.approx(
                    bilinear(maps[n, q], *xy[n, p].tolist()), abs=1e-5
                )


def test_points_lie_on_the_picture_and_not_on_its_padding() -> None:
    valid = torch.tensor([[96.0, 192.0], [48.0, 24.0]])  # (height, width) on a canvas of 192
    xy = random_points(valid, 192, 5000, torch.Generator().manual_seed(0))
    assert xy.shape == (2, 5000, 2)
    for n, (height, width) in enumerate(valid.tolist()):
        most = xy[n].amax(0)
        assert 0.98 * width / 192 < float(most[0]) <= width / 192
        assert 0.98 * height / 192 < float(most[1]) <= height / 192


def test_dice_is_its_formula() -> None:
    torch.manual_seed(0)
    p, t = torch.rand(4, 9), (torch.rand(4, 9) > 0.5).float()
    for i in range(4):
        both = sum(float(a * b) for a, b in zip(p[i], t[i], strict=True))
        expected = 1 - (2 * both + 1) / (float(p[i].sum()) + float(t[i].sum()) + 1)
        assert float(dice(p, t)[i]) == pytest.approx(expected, abs=1e-6)


def cross_entropy(logits: list[float], truth: list[float]) -> float:
    def one(x: float, t: float) -> float:
        p = 1 / (1 + math.exp(-x))
        return -(t * math.log(p) + (1 - t) * math.log(1 - p))

    return sum(one(x, t) for x, t in zip(logits, truth, strict=True)) / len(logits)


def soft_dice(logits: list[float], truth: list[float]) -> float:
    p = [1 / (1 + math.exp(-x)) for x in logits]
    both = sum(a * t for a, t in zip(p, truth, strict=True))
    return 1 - (2 * both + 1) / (sum(p) + sum(truth) + 1)


@pytest.mark.parametrize("with_selection", [False, True])
def test_matching_and_losses_are_those_of_a_naive_computation(with_selection: bool) -> None:
    torch.manual_seed(1)
    n, q, kept = 3, 4, 8
    logits, masks = 2 * torch.randn(n, q, 6, 6), (torch.rand(n, 1, 24, 24) > 0.5).float()
    xy = torch.rand(n, 3 * kept, 2)
    selection = torch.randn(n, q).log_softmax(1) if with_selection else None
    loss = mask_losses(logits, masks, xy, selection, WEIGHTS)
    for i in range(n):
        truth = [bilinear(masks[i, 0], *p) for p in xy[i].tolist()]
        sampled = [[bilinear(logits[i, k], *p) for p in xy[i].tolist()] for k in range(q)]
        costs = [
            WEIGHTS[1] * cross_entropy(row, truth)
            + WEIGHTS[2] * soft_dice(row, truth)
            - (WEIGHTS[0] * math.exp(float(selection[i, k])) if selection is not None else 0)
            for k, row in enumerate(sampled)
        ]
        matched = costs.index(min(costs))
        assert int(loss.matched[i]) == matched
        # three quarters of the kept points are the least sure ones, the rest are the first, which are random
        unsure = sorted(range(3 * kept), key=lambda p: abs(sampled[matched][p]))[: 3 * kept // 4]
        chosen = [*unsure, *range(kept - len(unsure))]
        row, wanted = ([x[p] for p in chosen] for x in (sampled[matched], truth))
        assert float(loss.bce[i]) == pytest.approx(cross_entropy(row, wanted), abs=1e-4)
        assert float(loss.dice[i]) == pytest.approx(soft_dice(row, wanted), abs=1e-4)


def test_a_right_mask_costs_less_and_is_matched() -> None:
    masks = torch.zeros(1, 1, 32, 32)
    masks[..., 8:24, 4:20] = 1
    right = 10 * (torch.nn.functional.avg_pool2d(masks, 4)[:, 0] - 0.5)
    logits = torch.stack((-right, right, torch.zeros_like(right)), dim=1)
    xy = torch.rand(1, 300, 2, generator=torch.Generator().manual_seed(0))
    loss = mask_losses(logits, masks, xy, None, WEIGHTS)
    assert int(loss.matched[0]) == 1
    wrong = mask_losses(logits[:, :1], masks, xy, None, WEIGHTS)
    assert float(loss.bce[0]) < 0.5 < float(wrong.bce[0])
    assert float(loss.dice[0]) < float(wrong.dice[0])


def test_a_selection_that_is_sure_decides_between_equal_masks() -> None:
    logits = torch.zeros(1, 3, 8, 8)
    masks = torch.ones(1, 1, 32, 32)
    xy = torch.rand(1, 30, 2)
    selection = torch.tensor([[0.1, 0.2, 0.7]]).log()
    assert int(mask_losses(logits, masks, xy, selection, WEIGHTS).matched[0]) == 2


def test_gradients_reach_the_matched_candidate_only() -> None:
    torch.manual_seed(2)
    logits = torch.randn(2, 3, 8, 8, requires_grad=True)
    masks = (torch.rand(2, 1, 32, 32) > 0.5).float()
    loss = mask_losses(logits, masks, torch.rand(2, 60, 2), None, WEIGHTS)
    (loss.bce + loss.dice).sum().backward()
    assert logits.grad is not None
    for i in range(2):
        for k in range(3):
            assert bool(logits.grad[i, k].any()) == (k == int(loss.matched[i]))

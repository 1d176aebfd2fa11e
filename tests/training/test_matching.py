"""Matching against a computation pair by pair, and against every possible assignment."""

import itertools
import math

import pytest
import torch

from seemkit.training.matching import assign, pair_bce, pair_costs, pair_dice


def cross_entropy(logits: list[float], truth: list[float]) -> float:
    def one(x: float, t: float) -> float:
        p = 1 / (1 + math.exp(-x))
        return -(t * math.log(p) + (1 - t) * math.log(1 - p))

    return sum(one(x, t) for x, t in zip(logits, truth, strict=True)) / len(logits)


def soft_dice(logits: list[float], truth: list[float]) -> float:
    p = [1 / (1 + math.exp(-x)) for x in logits]
    both = sum(a * t for a, t in zip(p, truth, strict=True))
    return 1 - (2 * both + 1) / (sum(p) + sum(truth) + 1)


def test_costs_are_those_of_every_pair() -> None:
    torch.manual_seed(0)
    logits, truth = 2 * torch.randn(2, 4, 9), torch.rand(2, 3, 9)
    choice = torch.rand(2, 3, 4)
    bce, dice = pair_bce(logits, truth), pair_dice(logits, truth)
    costs = pair_costs(logits, truth, choice, (2.0, 5.0, 7.0))
    for e, m, q in itertools.product(range(2), range(3), range(4)):
        row, wanted = logits[e, q].tolist(), truth[e, m].tolist()
        assert float(bce[e, m, q]) == pytest.approx(cross_entropy(row, wanted), abs=1e-5)
        assert float(dice[e, m, q]) == pytest.approx(soft_dice(row, wanted), abs=1e-5)
        expected = 5 * cross_entropy(row, wanted) + 7 * soft_dice(row, wanted) - 2 * float(choice[e, m, q])
        assert float(costs[e, m, q]) == pytest.approx(expected, abs=1e-4)


def test_every_object_may_have_weights_of_its_own() -> None:
    torch.manual_seed(0)
    logits, truth, choice = torch.randn(1, 4, 9), torch.rand(1, 2, 9), torch.rand(1, 2, 4)
    weights = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 3.0, 0.0]]])
    costs = pair_costs(logits, truth, choice, weights)
    torch.testing.assert_close(costs[0, 0], -choice[0, 0])
    torch.testing.assert_close(costs[0, 1], 3 * pair_bce(logits, truth)[0, 1])


def test_the_assignment_is_the_cheapest_of_all() -> None:
    torch.manual_seed(0)
    costs = torch.rand(5, 3, 4)
    matched = assign(costs)
    for e in range(5):
        cheapest = min(
            sum(float(costs[e, m, q]) for m, q in enumerate(chosen))
            for chosen in itertools.permutations(range(4), 3)
        )
        assert len(set(matched[e].tolist())) == 3, "no candidate answers two objects"
        assert sum(float(costs[e, m, q]) for m, q in enumerate(matched[e])) == pytest.approx(cheapest)


def test_an_object_alone_takes_its_best_candidate() -> None:
    costs = torch.tensor([[[3.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]]])
    assert assign(costs).tolist() == [[1], [0]]


def test_cost_weights_are_honoured() -> None:
    # the first candidate has the right mask, the second is chosen by the anchors
    truth = torch.ones(1, 1, 20)
    logits = torch.stack((torch.full((20,), 4.0), torch.full((20,), -4.0)))[None]
    choice = torch.tensor([[[0.1, 0.9]]])
    assert assign(pair_costs(logits, truth, choice, (2.0, 5.0, 5.0))).item() == 0
    assert assign(pair_costs(logits, truth, choice, (50.0, 1.0, 1.0))).item() == 1


def test_more_objects_than_candidates_are_refused() -> None:
    with pytest.raises(ValueError, match="3 objects cannot be matched with 2 candidates"):
        assign(torch.rand(1, 3, 2))

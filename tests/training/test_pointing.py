"""The loss of where names point: low where a term fits, of all objects of a name at once, and it teaches the map."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from seemkit.network.network import Network
from seemkit.training.name_tables import NameTables
from seemkit.training.pointing import pointing_losses
from seemkit.training.recipe.sections import SharesSection
from tests.looking import ENLARGED, look_closer

New = Callable[..., Any]
WORDS = ("red thing", "green thing", "blue thing")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, new_network: New) -> Callable[..., float]:
    """The loss of given logits (N, h, w), in place of those of a network, for two views of one picture."""

    def loss(views: Any, found: Any, logits: torch.Tensor) -> float:
        network: Network = new_network()
        monkeypatch.setattr(network, "words_point", lambda scene, said: logits)
        embedded = {0: NameTables(network, [WORDS]).embed(0, [0])}
        return float(pointing_losses(network, None, views, found, embedded, 1.0))  # type: ignore[arg-type]

    return loss


def test_all_objects_of_a_name_are_wanted_and_nothing_else(
    told: Callable[..., float], new_batch: New
) -> None:
    view = new_batch([1], pair=False).views[0]
    first, second = (
        functional.adaptive_avg_pool2d(torch.from_numpy(np.asarray(t.mask, np.float32))[None], 24)[0]
        for t in view.targets
    )
    one_name, two_names = [[(0, 1), (1, 1)]], [[(0, 0), (1, 1)]]
    sure = [(20 * (x > 0.5) - 10).float() for x in (first + second, first, second)]
    right = told([view], one_name, sure[0][None])  # what is left comes from cells at the border
    assert told([view], one_name, sure[1][None]) > right + 0.5, "half of it is missed"
    apart = told([view], two_names, torch.stack(sure[1:]))
    assert told([view], two_names, torch.stack(sure[:0:-1])) > apart + 2, "the names are exchanged"


def test_cross_entropy_and_dice_are_those_of_their_definition(
    told: Callable[..., float], new_batch: New
) -> None:
    view = new_batch([1], pair=False).views[0]
    assert view.valid == (77, 96), "19 rows of cells are full, of the next a quarter counts"
    logits = torch.randn(1, 24, 24, generator=torch.Generator().manual_seed(0))
    mask = functional.adaptive_avg_pool2d(torch.from_numpy(view.targets[0].mask[None].astype(np.float32)), 24)
    weight = torch.zeros(24, 24)
    weight[:19] = 1
    weight[19] = 1 / 4
    p = logits.sigmoid()
    cross = -(weight * (mask * p.log() + (1 - mask) * (1 - p).log())).sum() / weight.sum()
    dice = 1 - (2 * (weight * p * mask).sum() + 1) / ((weight * (p + mask)).sum() + 1)
    assert told([view], [[(0, 2)]], logits) == pytest.approx(float(cross + dice), rel=1e-4)


def test_padding_and_what_is_ignored_may_point_wherever_they_like(
    told: Callable[..., float], new_batch: New
) -> None:
    view = new_batch([1], pair=False).views[0]
    ignored = np.zeros((96, 96), bool)
    ignored[:, 48:] = True  # where the second object is
    half = replace(view, ignored=ignored)
    logits = torch.randn(1, 24, 24, generator=torch.Generator().manual_seed(0))
    other = logits.clone()
    other[:, 20:] = 50
    assert told([view], [[(0, 2)]], other) == told([view], [[(0, 2)]], logits)
    other[:, :, 12:] = 50
    assert told([half], [[(0, 2)]], other) == told([half], [[(0, 2)]], logits)
    assert told([view], [[(0, 2)]], other) > told([view], [[(0, 2)]], logits) + 1
    nothing = replace(view, ignored=np.ones((96, 96), bool))
    assert told([nothing], [[(0, 2)]], other) == 0


def test_a_view_with_fewer_names_does_not_pay_for_the_places_that_it_leaves_empty(
    told: Callable[..., float], new_batch: New
) -> None:
    views = new_batch([1, 2], pair=False).views
    logits = torch.randn(4, 24, 24, generator=torch.Generator().manual_seed(0))
    both = told(views, [[(0, 0), (1, 1)], [(0, 2)]], logits)
    apart = told(views[:1], [[(0, 0), (1, 1)]], logits[:2]) + told(views[1:], [[(0, 2)]], logits[2:3])
    assert both == pytest.approx(apart, rel=1e-5)


def test_pictures_without_names_cost_nothing(told: Callable[..., float], new_batch: New) -> None:
    assert told(new_batch([1], pair=False).views, [[]], torch.zeros(0, 24, 24)) == 0


def test_an_objective_with_it_teaches_what_a_closer_look_adds(
    new_objective: New, new_batch: New, step_of: New
) -> None:
    objective = new_objective(pointing=0.5, left_out=0.3)
    looks = look_closer(objective.network)
    batch = new_batch(shares=SharesSection(prompt=1, reference=0, text=1, mixed=0), nearness=ENLARGED)
    terms = objective(batch, step_of(objective, batch, rounds=1))
    assert looks.count == 1
    assert set(terms) == set(objective.terms), "what processes sum"
    terms["pointing"].backward()
    closer = objective.network.pixel_decoder.meaning.closer[0]
    assert closer.mixed.weight.grad is not None
    assert closer.mixed.weight.grad.any()
    objective = new_objective()
    assert "pointing" not in objective(batch, step_of(objective, batch, rounds=0))

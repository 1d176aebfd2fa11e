"""What stays in float32 where layers are cast to bf16: costs of the matching, and similarities that are scaled up.

Expected is what the same call gives without autocast, from the same inputs.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seemkit.network.words import cosines
from seemkit.training.anchors import choices
from seemkit.training.batch import normalise
from seemkit.training.labels import label_losses
from seemkit.training.matching import pair_costs
from seemkit.training.objective import Objective
from seemkit.training.recipe.sections import SharesSection

New = Callable[..., Any]


def check_same(compute: Callable[[], Tensor]) -> None:
    """`compute` gives float32 and the same numbers with autocast on the CPU as without."""
    wanted = compute()
    with torch.autocast("cpu", torch.bfloat16):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
        found = compute()
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_costs_of_the_matching() -> None:
    torch.manual_seed(0)
    logits, truth, choice = 4 * torch.randn(2, 5, 800), (torch.rand(2, 3, 800) > 0.5), torch.rand(2, 3, 5)
    check_same(lambda: pair_costs(logits, truth.float(), choice, (2.0, 5.0, 5.0)))


def test_cosines_of_words_with_what_is_seen() -> None:
    torch.manual_seed(0)
    meanings, said = torch.randn(2, 64, 6, 6), torch.randn(4, 64)
    check_same(lambda: cosines(meanings, said))


@pytest.mark.parametrize("preset", ["seem_v1", "nano"])
@torch.no_grad()
def test_what_anchors_and_names_say_of_candidates(new_objective: New, new_batch: New, preset: str) -> None:
    objective: Objective = new_objective(preset)
    network = objective.network
    network.text_encoder.logit_scale.fill_(100.0).log_()  # type: ignore[operator]
    batch = new_batch(shares=SharesSection(prompt=0, reference=0, text=0, mixed=1))
    features = network.encode(normalise(batch.views, objective.preprocess, network.device))
    scene = network.decoder.prepare(features.levels, network.mask_features(features.fine), features.meaning)
    ask = objective.asking(scene, features, batch.cells)
    asked = ask(None)
    rows, embeddings = asked.decoded.queries, asked.decoded.mask_embeddings
    for place, space in enumerate(("mask", "class")):
        assert asked.anchors[place].space == space

        def said(anchor: Any = asked.anchors[place]) -> Tensor:
            (found,) = choices(network, scene, rows, embeddings, asked.decoded.bias, [anchor], ask.each)
            return found.log_probability

        check_same(said)
    classes = network.class_embeddings(rows, embeddings, scene)[:, 0]
    names = objective.tables.embed(0, [0])
    check_same(lambda: network.class_logits(classes, names))
    sources = [0] * len(batch.cells)
    check_same(lambda: label_losses(network, classes, batch.cells, sources, objective.tables, {}, [0], 1.0))

"""Names as directions, labels and everything mode: against computations written out by hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from seemkit.network.network import Network
from seemkit.pipeline.vocabulary import embed_vocabulary
from seemkit.training.batch import Batch
from seemkit.training.labels import label_losses
from seemkit.training.mask_losses import Sampling
from seemkit.training.name_tables import NameTables, log_shares
from seemkit.training.objects import Everything, emphasis_of, object_losses, objects_of
from seemkit.training.points import PointDraws, sample_maps
from seemkit.training.recipe.sections import ObjectsSection

New = Callable[..., Any]
WORDS = ("red thing", "green thing", "blue thing")


def test_rare_names_weigh_less_in_the_prior() -> None:
    assert torch.allclose(log_shares([8, 0]).exp(), torch.tensor([0.9, 0.1]))  # one is added to each count
    assert log_shares([]).shape == (0,)


def test_a_name_is_put_into_one_of_the_sentences_of_the_text_encoder(new_network: New) -> None:
    network: Network = new_network()
    network.text_encoder.templates = ("a {}", "{} on grey")  # type: ignore[assignment]
    tables = NameTables(network, [WORDS])
    seen = {tuple(row[:3].tolist()) for seed in range(12) for row in tables.embed(0, [seed])[:1]}
    sentences = ("a red thing", "red thing on grey")
    expected = {tuple(embed_vocabulary(network, [s], ["{}"])[0, :3].tolist()) for s in sentences}
    for row in seen:
        assert any(np.allclose(row, other, atol=1e-5) for other in expected)
    assert len(seen) == 2
    assert torch.equal(tables.embed(0, [3]), tables.embed(0, [3]))
    assert tables.embed(0, [3]).shape == (4, network.dims.text), "background comes last"
    assert not tables.embed(0, [3]).requires_grad


def test_a_frozen_text_encoder_is_asked_once_and_one_that_learns_every_time(new_network: New) -> None:
    network: Network = new_network()
    network.text_encoder.templates = ("{}",)  # type: ignore[assignment]
    calls: list[int] = []
    embed = network.embed_texts
    network.embed_texts = lambda texts: calls.append(len(texts)) or embed(texts)  # type: ignore[method-assign,func-returns-value]
    tables = NameTables(network, [WORDS])
    for seed in range(3):
        tables.embed(0, [seed])
    assert len(calls) == 1
    network.text_encoder.requires_grad_(True)
    assert tables.embed(0, [0]).requires_grad
    assert len(calls) == 2


def test_labels_are_learned_from_names_and_from_opinions(new_network: New, new_batch: New) -> None:
    network: Network = new_network()
    batch: Batch = new_batch([1, 2], pair=False)
    tables = NameTables(network, [WORDS], [[7, 1, 0]])
    torch.manual_seed(0)
    classes = torch.randn(len(batch.cells), network.dims.text)
    unit = functional.normalize(classes, dim=-1)
    names = tables.embed(0, [0, 0])[:-1]
    logits = network.class_scale() * unit @ names.T + log_shares([7, 1, 0])
    truth = torch.tensor([WORDS.index(str(cell.target.name)) for cell in batch.cells])
    expected = functional.cross_entropy(logits, truth, reduction="sum")
    found = label_losses(network, classes, batch.cells, [0] * 4, tables, {}, [0], 0.25)
    torch.testing.assert_close(found, 0.25 * expected)
    # a data set without names: what a classifier thinks of two of the objects
    direction = np.zeros(network.dims.text, np.float32)
    direction[0] = 1
    opinions = {cell.target.key: direction for cell in batch.cells[:2]}
    nameless = NameTables(network, [()])
    found = label_losses(network, classes, batch.cells, [0] * 4, nameless, opinions, [0], 1.0)
    torch.testing.assert_close(found, 2 * (1 - unit[:2, 0]).sum())


def test_everything_mode_is_judged_as_maskformer_judges(new_objective: New, new_batch: New) -> None:
    objective = new_objective("seem_v1")
    network: Network = objective.network
    batch: Batch = new_batch([1, 2], pair=False)
    from seemkit.training.batch import normalise

    tables = NameTables(network, [WORDS])
    assert [len(objects_of(view, tables)) for view in batch.views] == [2, 2]
    with torch.no_grad():
        features = network.encode(normalise(batch.views, objective.preprocess, network.device))
        scene = network.decoder.prepare(features.levels, network.mask_features(features.fine))
        options = Everything(
            ObjectsSection(),
            (2.0, 5.0, 5.0),
            300,
            Sampling(100),
            emphasis=3.0,
            masks=4.0,
            head=1.0,
            last=True,
        )

        def draws() -> PointDraws:
            seeds = [torch.Generator().manual_seed(k) for k in range(2)]
            return PointDraws(seeds, [view.valid for view in batch.views], 96, network.device)

        terms = object_losses(network, scene, batch.views, tables, draws(), options, [0])
        expected = by_hand(network, scene, batch, tables, draws())
    assert float(terms["object_name"]) == pytest.approx(2 * expected / 3.0, rel=1e-4)
    assert float(terms["object_bce"]) > 0


def by_hand(network: Network, scene: Any, batch: Batch, tables: NameTables, draws: PointDraws) -> float:
    """The summed, weighted cross entropy, every assignment of two objects to eight queries tried."""
    import itertools

    from seemkit.network.rows import RowBatch

    content, position = (x.expand(2, -1, -1) for x in network.decoder.object_queries())
    decoded = network.decoder(scene, [RowBatch("query", content, position)], network.heads)
    classes = network.class_embeddings(decoded.queries, decoded.mask_embeddings, scene)
    maps = scene.mask_features.dot(decoded.mask_embeddings)
    xy = draws.shared(300)
    total = 0.0
    for i, view in enumerate(batch.views):
        logits = network.class_logits(classes[i], tables.embed(0, [0, 0]))
        said = sample_maps(maps[i : i + 1], xy[i : i + 1])[0]
        found = objects_of(view, tables)
        truth = torch.from_numpy(np.stack([view.targets[k].mask for k, _ in found])).float()
        wanted = sample_maps(truth[None], xy[i : i + 1])[0]

        def cost(query: int, place: int, logits: Tensor = logits, said: Tensor = said, wanted: Tensor = wanted,
                 found: Any = found) -> float:  # fmt: skip
            bce = functional.binary_cross_entropy_with_logits(said[query], wanted[place])
            p = said[query].sigmoid()
            dice = 1 - (2 * (p * wanted[place]).sum() + 1) / (p.sum() + wanted[place].sum() + 1)
            return float(5 * bce + 5 * dice - 2 * logits[query].softmax(0)[found[place][1]])

        pairs = itertools.permutations(range(8), 2)
        best = min(pairs, key=lambda pair: sum(cost(q, place) for place, q in enumerate(pair)))
        for query in range(8):
            number = found[best.index(query)][1] if query in best else 3
            weight = 1.0 if query in best else 0.1
            total += weight * float(functional.cross_entropy(logits[query], torch.tensor(number)))
    return total


def test_queries_that_match_nothing_weigh_a_tenth() -> None:
    assert emphasis_of(3, 8, 0.1) == pytest.approx(3.5)
    assert emphasis_of(20, 8, 0.1) == 8


def test_pictures_without_names_teach_no_names(new_objective: New, new_batch: New, step_of: New) -> None:
    objective = new_objective()
    objective.tables = NameTables(objective.network, [()])
    batch: Batch = new_batch()
    terms = objective(batch, step_of(objective, batch, rounds=0))
    assert "object_name" not in terms
    assert objective.divisors(batch).masks == 0


def test_only_the_first_view_of_a_pair_teaches_everything_mode(new_objective: New, new_batch: New) -> None:
    objective = new_objective()
    single, pair = new_batch([1], pair=False), new_batch([1])
    assert objective.divisors(single).masks == objective.divisors(pair).masks == 2
    assert math.isclose(objective.divisors(pair).visual + objective.divisors(pair).text, 4)

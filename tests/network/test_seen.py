"""What is seen under masks: expected values are means taken by hand, cell by cell."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from seemkit.network.heads import Heads
from seemkit.network.mask_features import MaskFeatures
from seemkit.network.prepared import PreparedScene
from seemkit.network.seen import seen_under

SIZES = ((1, 2), (2, 4), (4, 8))


def scene_of(batch: int) -> PreparedScene:
    torch.manual_seed(0)
    levels = tuple(torch.randn(batch, 4, *size) for size in SIZES)
    small = tuple(torch.randn(batch, 4, *size) for size in SIZES)
    return PreparedScene(levels, MaskFeatures(torch.randn(batch, 4, 8, 16)), small, (), ())


def by_hand(level: Tensor, logits: Tensor) -> Tensor:
    total, weights = torch.zeros(4), 0.0
    for row in range(2):
        for column in range(4):
            share = float(logits[row, column].sigmoid())
            total += share * level[:, row, column]
            weights += share
    return total / weights


@pytest.mark.parametrize(("batch", "each"), [(1, 3), (2, 2)])
def test_it_is_the_mean_of_the_middle_level_weighted_by_the_mask(batch: int, each: int) -> None:
    scene = scene_of(batch)
    embeddings = torch.randn(batch * each, 5, 4)
    found = seen_under(scene, embeddings)
    assert found.shape == (batch * each, 5, 4)
    for n in range(batch * each):
        for q in range(5):
            logits = torch.einsum("c,chw->hw", embeddings[n, q], scene.small[1][n // each])
            assert torch.allclose(found[n, q], by_hand(scene.levels[1][n // each], logits), atol=1e-5)


def test_a_mask_of_one_cell_sees_that_cell() -> None:
    scene = scene_of(1)
    bias = torch.full((1, 8, 16), -60.0)
    bias[:, 0:4, 4:8] = 60.0
    found = seen_under(scene, torch.zeros(1, 1, 4), bias)
    assert torch.allclose(found[0, 0], scene.levels[1][0, :, 0, 1], atol=1e-3)


def test_where_there_is_a_map_for_names_that_is_what_is_seen() -> None:
    scene = scene_of(1)
    meaning = torch.randn(1, 7, 2, 4)
    bias = torch.full((1, 8, 16), -60.0)
    bias[:, 4:8, 0:4] = 60.0
    found = seen_under(replace(scene, meaning=meaning), torch.zeros(1, 1, 4), bias)
    assert torch.allclose(found[0, 0], meaning[0, :, 1, 0], atol=1e-3)


def test_heads_that_see_begin_as_if_they_did_not() -> None:
    heads, plain = Heads(4, 6, sees=4), Heads(4, 6)
    rows, seen = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    assert torch.equal(heads.class_embedding(rows, seen), heads.class_embedding(rows))
    assert plain.seen is None
    assert heads.seen is not None
    torch.nn.init.ones_(heads.seen.weight)
    expected = rows @ heads.class_proj + seen.sum(-1, keepdim=True)
    assert torch.allclose(heads.class_embedding(rows, seen), expected, atol=1e-5)

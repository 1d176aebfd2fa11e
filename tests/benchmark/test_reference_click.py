"""The reference path of a click gives what the fast path gives; double precision keeps rounding out of it."""

import pytest
import torch
from torch import Tensor

from seemkit.benchmark.click import Clicked, click, make_points
from seemkit.benchmark.reference_click import reference_click
from seemkit.benchmark.reference_features import reference_features

SIZE = (64, 96)


@pytest.fixture(params=["seem_v0", "seem_v1", "seem_demo", "nano"])
def network(request, new_model):
    model = new_model(request.param)
    network = model.network.double()
    with torch.no_grad():
        for name, value in network.named_parameters():
            if not value.any():  # what starts at zero would hide a difference
                value.normal_(std=0.1)
            if name.endswith("mask_mlp.2.bias"):
                value.normal_()
    return network


def both(network, count: int, previous: Tensor | None) -> tuple[Clicked, Clicked]:
    torch.manual_seed(1)
    image = torch.randn(1, 3, *SIZE, dtype=torch.float64)
    with torch.no_grad():
        found = network.encode(image)
        prepared = network.decoder.prepare(found.levels, network.mask_features(found.fine))
        points = make_points(count, SIZE, image)
        fast = click(network, prepared, points, previous)
        levels, features = reference_features(network, image)
        vocabulary = torch.randn(5, network.dims.text, dtype=torch.float64)
        slow = reference_click(network, levels, features, points, previous, vocabulary)
    return fast, slow


@pytest.mark.parametrize("count", [1, 9, 40])
@pytest.mark.parametrize("second", [False, True], ids=["first-round", "second-round"])
def test_both_paths_give_the_same_mask(network, count: int, second: bool) -> None:
    torch.manual_seed(2)
    previous = torch.randn(SIZE[0] // 4, SIZE[1] // 4, dtype=torch.float64) if second else None
    fast, slow = both(network, count, previous)
    torch.testing.assert_close(fast.embeddings, slow.embeddings, atol=1e-9, rtol=1e-9)
    assert fast.chosen == slow.chosen
    torch.testing.assert_close(fast.logits, slow.logits, atol=1e-8, rtol=1e-9)
    assert fast.logits.shape == previous_shape()
    assert fast.logits.std() > 1e-3  # there is something to compare


def previous_shape() -> tuple[int, int]:
    return SIZE[0] // 4, SIZE[1] // 4


def test_the_masks_limit_where_queries_look(network) -> None:
    """Without the attention masks the answer is another one: the comparison above is not blind to them."""
    fast, _ = both(network, 3, None)
    everywhere = type(network.decoder)._masked_attention
    try:
        type(network.decoder)._masked_attention = lambda *_: None  # type: ignore[method-assign]
        other, _ = both(network, 3, None)
    finally:
        type(network.decoder)._masked_attention = everywhere  # type: ignore[method-assign]
    assert not torch.allclose(fast.embeddings, other.embeddings, atol=1e-6)

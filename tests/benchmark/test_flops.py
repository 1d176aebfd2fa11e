"""Operations of both paths at the size that is spoken of: 1024 pixels, FocalNet-T; on the meta device, so for free.

The reference decoder as published was counted at 289 GFLOP, its pixel decoder at 784 and the backbone at 198.
"""

from collections.abc import Iterator

import pytest
import torch

from seemkit.assembly import load_assembly
from seemkit.benchmark.click import click, make_points
from seemkit.benchmark.flops import count_flops
from seemkit.benchmark.reference_click import reference_click
from seemkit.benchmark.reference_features import reference_pixels
from seemkit.network.network import Network
from seemkit.pipeline.build import build_network

SIZE = (1024, 1024)
GIGA = 1e9


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with torch.device("meta"), torch.no_grad():
        yield build_network(load_assembly("seem-focalt-v1"))[0].eval()


def test_a_second_click_costs_an_eighth_of_the_published_decoder(network: Network) -> None:
    maps = network.image_encoder(torch.empty(1, 3, *SIZE))
    backbone = count_flops(lambda: network.image_encoder(torch.empty(1, 3, *SIZE)))
    assert backbone / GIGA == pytest.approx(198, rel=0.01)
    plain = count_flops(lambda: reference_pixels(network, maps))
    assert plain / GIGA == pytest.approx(784, rel=0.01)

    levels, features = reference_pixels(network, maps)
    points = make_points(9, SIZE, torch.empty(1))
    previous, vocabulary = torch.empty(256, 256), torch.empty(134, 512)
    reference = count_flops(lambda: reference_click(network, levels, features, points, previous, vocabulary))
    assert reference / GIGA == pytest.approx(289, rel=0.01)

    found = network.pixel_decoder(maps)
    prepared = network.decoder.prepare(found.levels, network.mask_features(found.fine))
    fast = count_flops(lambda: click(network, prepared, points, previous))
    assert 30 < fast / GIGA < 40
    many = count_flops(lambda: click(network, prepared, make_points(512, SIZE, torch.empty(1)), previous))
    assert many < 1.4 * fast


def test_small_mask_features_cost_a_third_of_whole_ones(network: Network) -> None:
    features = network.mask_features(torch.empty(1, 512, 256, 256))
    small = count_flops(lambda: features.resized([(32, 32), (64, 64), (128, 128)]))
    whole = count_flops(lambda: features.whole)
    assert small == pytest.approx(whole * (1 / 4 + 1 / 16 + 1 / 64), rel=0.01)


def test_attention_of_a_fused_module_is_counted_too() -> None:
    module = torch.nn.MultiheadAttention(16, 2, batch_first=True).eval().requires_grad_(False)
    rows = torch.randn(1, 8, 16)
    projections, products = 4 * 8 * 16 * 16 * 2, 2 * 8 * 8 * 16 * 2
    with torch.no_grad():
        assert count_flops(lambda: module(rows, rows, rows, need_weights=False)) == projections + products
    assert torch.backends.mha.get_fastpath_enabled()

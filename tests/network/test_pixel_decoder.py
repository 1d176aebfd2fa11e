"""The FPN pixel decoder at small sizes; its numbers at full size are checked in tests/parity."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn import functional

from seemkit.components import BackboneShape
from seemkit.network.pixel_decoder import FPN, FPNPixelDecoder

SHAPE = BackboneShape(channels=(6, 10, 14, 18))


def small(**options: Any) -> FPNPixelDecoder:
    torch.manual_seed(0)
    defaults = {"dim": 32, "encoder_layers": 1, "heads": 4, "ffn": 48, "groups": 8}
    return FPN.build(FPN.Options(**(defaults | options)), SHAPE).eval()


def features(height: int, width: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(2, c, height // s, width // s, generator=generator)
        for c, s in zip(SHAPE.channels, SHAPE.strides, strict=True)
    ]


@pytest.mark.parametrize("dim", [64, 96, 128])
@pytest.mark.parametrize("layers", [0, 2])
@torch.no_grad()
def test_small_sizes_give_levels_coarse_to_fine_and_a_map_at_stride_4(dim: int, layers: int) -> None:
    out = small(dim=dim, encoder_layers=layers, mask_kernel=1)(features(64, 96))
    assert [tuple(x.shape) for x in out.levels] == [(2, dim, 2, 3), (2, dim, 4, 6), (2, dim, 8, 12)]
    assert out.fine.shape == (2, dim, 16, 24)


@torch.no_grad()
def test_forward_is_its_two_steps() -> None:
    network, maps = small(), features(64, 64)
    whole = network(maps)
    levels = network.levels(maps)
    torch.testing.assert_close(network.fine(maps, levels[2]), whole.fine)
    torch.testing.assert_close(levels, whole.levels)


@torch.no_grad()
def test_the_finest_map_reaches_the_map_at_stride_4_only() -> None:
    network, maps = small(), features(64, 64)
    before = network(maps)
    after = network([maps[0] + 1.5 * torch.randn_like(maps[0]), *maps[1:]])
    torch.testing.assert_close(after.levels, before.levels, atol=0, rtol=0)
    assert not torch.allclose(after.fine, before.fine, atol=1e-3)


@torch.no_grad()
def test_the_pyramid_is_convolution_norm_and_nearest_upsampling() -> None:
    network, maps = small(encoder_layers=0), features(64, 64)
    coarse = network.output[3](network.in_proj(maps[3])).relu()
    side = network.lateral[2](maps[2])
    merged = network.output[2](side + functional.interpolate(coarse, scale_factor=2, mode="nearest")).relu()
    torch.testing.assert_close(network.levels(maps)[1], merged)


@torch.no_grad()
def test_the_transformer_is_torchs_own_post_norm_layer_with_positions_on_queries_and_keys() -> None:
    network = small(encoder_layers=1)
    theirs = torch.nn.TransformerEncoderLayer(32, 4, 48, dropout=0.0, batch_first=True).eval()
    theirs.load_state_dict(network.encoder[0].state_dict())
    x = torch.randn(2, 7, 32)
    zero = torch.zeros(7, 32)
    torch.testing.assert_close(network.encoder[0](x, zero), theirs(x), atol=1e-5, rtol=0)
    permuted = network.encoder[0](x, torch.randn(7, 32))
    assert not torch.allclose(permuted, theirs(x), atol=1e-3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"dim": 36, "heads": 8}, "dim 36 does not split into 8"),
        ({"dim": 36, "heads": 4, "groups": 32}, "dim 36 does not split into 32"),
        ({"mask_kernel": 2}, "mask_kernel is 2, but has to be odd"),
    ],
)
def test_numbers_that_do_not_divide_are_refused(options: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        FPN.Options(**options)


def test_other_strides_are_refused() -> None:
    shape = BackboneShape(channels=(6, 10, 14, 18), strides=(2, 4, 8, 16))
    with pytest.raises(ValueError, match="takes features at strides"):
        FPN.build(FPN.Options(), shape)

"""The deformable pixel decoder at small sizes; its attention has a test of its own."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn import functional

from seemkit.components import BackboneShape
from seemkit.network.deformable import Deform, DeformPixelDecoder
from seemkit.network.deformable_attention import cell_centres
from seemkit.network.position import sine_position

SHAPE = BackboneShape(channels=(6, 10, 14, 18))


def small(**options: Any) -> DeformPixelDecoder:
    torch.manual_seed(0)
    defaults = {"dim": 32, "encoder_layers": 1, "heads": 4, "ffn": 48, "groups": 8}
    network = Deform.build(Deform.Options(**(defaults | options)), SHAPE).eval()
    for layer in network.encoder:
        for part in (layer.self_attn.sampling_offsets, layer.self_attn.attention_weights):
            torch.nn.init.normal_(part.weight, std=0.1)
    return network


def features(height: int, width: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(2, c, height // s, width // s, generator=generator)
        for c, s in zip(SHAPE.channels, SHAPE.strides, strict=True)
    ]


@pytest.mark.parametrize("layers", [0, 2])
@torch.no_grad()
def test_levels_come_coarse_to_fine_and_the_fine_map_at_stride_4(layers: int) -> None:
    out = small(encoder_layers=layers)(features(64, 96))
    assert [tuple(x.shape) for x in out.levels] == [(2, 32, 2, 3), (2, 32, 4, 6), (2, 32, 8, 12)]
    assert out.fine.shape == (2, 32, 16, 24)


@torch.no_grad()
def test_the_transformer_reads_positions_and_the_level_with_queries_only() -> None:
    network, maps = small(), features(64, 96)
    projected = [layer(x) for layer, x in zip(network.in_proj, reversed(maps[1:]), strict=True)]
    sizes = [(2, 3), (4, 6), (8, 12)]
    tokens = torch.cat([x.flatten(2).transpose(1, 2) for x in projected], dim=1)
    position = torch.cat(
        [
            sine_position(32, h, w, like=tokens).flatten(1).T + network.level_embed[k]
            for k, (h, w) in enumerate(sizes)
        ]
    )
    layer = network.encoder[0]
    read = layer.self_attn(tokens + position, tokens, cell_centres(sizes, tokens), sizes)
    x = functional.layer_norm(tokens + read, (32,))  # new norms scale by 1 and add 0
    hidden = layer.linear2(layer.linear1(x).relu())
    expected = functional.layer_norm(x + hidden, (32,))
    levels = [x.flatten(2).transpose(1, 2) for x in network.levels(maps)]
    torch.testing.assert_close(torch.cat(levels, dim=1), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_pyramid_has_one_step_with_bilinear_upsampling() -> None:
    network, maps = small(encoder_layers=0), features(64, 64)
    fine = network.in_proj[2](maps[1])
    up = functional.interpolate(fine, scale_factor=2, mode="bilinear", align_corners=False)
    merged = network.output[0](network.lateral[0](maps[0]) + up).relu()
    out = network(maps)
    torch.testing.assert_close(out.levels[2], fine)
    torch.testing.assert_close(out.fine, merged)


@torch.no_grad()
def test_every_level_reaches_every_level() -> None:
    network, maps = small(), features(64, 64)
    before = network.levels(maps)
    for changed in (1, 2, 3):
        after = network.levels([x + (k == changed) * torch.randn_like(x) for k, x in enumerate(maps)])
        assert all(not torch.allclose(a, b, atol=1e-3) for a, b in zip(after, before, strict=True))


@torch.no_grad()
def test_it_is_the_same_in_full_precision_under_autocast() -> None:
    network, maps = small(), features(64, 64)
    plain = network(maps)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
        cast = network(maps)
    assert all(torch.equal(a, b) for a, b in zip(cast.levels, plain.levels, strict=True))
    assert torch.equal(cast.fine, plain.fine)


@torch.no_grad()
def test_maps_in_half_precision_are_decoded_in_full() -> None:
    network, maps = small(), [x.half() for x in features(64, 64)]
    out, expected = network(maps), network([x.float() for x in maps])
    assert torch.equal(out.fine, expected.fine)
    assert out.levels[0].dtype == out.fine.dtype == torch.float32


def test_gradients_reach_every_parameter() -> None:
    network = small(encoder_layers=2)
    out = network(features(64, 64))
    (network.mask_proj(out.fine).square().sum() + sum(x.square().sum() for x in out.levels)).backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_shapes_are_known_without_memory() -> None:
    with torch.device("meta"):
        network = Deform.build(Deform.Options(), SHAPE)
        out = network(
            [torch.empty(1, c, 64 // s, 64 // s) for c, s in zip(SHAPE.channels, SHAPE.strides, strict=True)]
        )
    assert out.fine.shape == (1, 512, 16, 16)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"dim": 36, "heads": 8}, "dim 36 does not split into 8"),
        ({"dim": 36, "heads": 4, "groups": 32}, "dim 36 does not split into 32"),
        ({"points": 0}, "points"),
    ],
)
def test_numbers_that_do_not_divide_are_refused(options: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Deform.Options(**options)


def test_other_strides_are_refused() -> None:
    shape = BackboneShape(channels=(6, 10, 14, 18), strides=(2, 4, 8, 16))
    with pytest.raises(ValueError, match="takes features at strides"):
        Deform.build(Deform.Options(), shape)

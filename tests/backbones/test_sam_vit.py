"""Segment Anything's ViT: timm's registered trunk at the published settings, formulas, and the pyramid."""

from functools import partial
from typing import Any

import pytest
import timm
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional

from seemkit_backbones.sam_vit import Neck, SamViT

SMALL: dict[str, Any] = {
    "width": 24, "depth": 3, "heads": 2, "global_blocks": (1,), "window": 3, "image_size": 64,
    "channels": (4, 8, 12, 16),
}  # fmt: skip


def small(**options: Any) -> Any:
    torch.manual_seed(0)
    network = SamViT.build(SamViT.Options(**(SMALL | options))).eval()
    for name, p in network.named_parameters():
        ones = 1.0 if p.ndim == 1 and name.endswith("weight") else 0.0
        nn.init.normal_(p, ones, 0.2)  # so that every part counts: new ones are near 0, and positions are 0
    return network


def trunk_of(network: nn.Module) -> dict[str, Tensor]:
    return {key: value for key, value in network.state_dict().items() if not key.startswith("neck.")}


@torch.no_grad()
def test_the_trunk_is_timms_before_its_neck_with_a_finer_norm() -> None:
    network = small()
    theirs = timm.create_model(
        "samvit_base_patch16",
        img_size=64,
        embed_dim=24,
        depth=3,
        num_heads=2,
        window_size=3,
        global_attn_indexes=(1,),
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
    ).eval()
    missing, unexpected = theirs.load_state_dict(trunk_of(network), strict=False)
    assert (unexpected, {key.split(".")[0] for key in missing}) == ([], {"neck"})
    image = torch.randn(2, 3, 64, 64)
    (last,) = theirs.forward_intermediates(image, indices=1, intermediates_only=True)
    expected = network.neck(last)
    for ours, reference in zip(network(image), expected, strict=True):
        torch.testing.assert_close(ours, reference, atol=1e-4, rtol=0)
    assert {m.eps for m in network.blocks.modules() if isinstance(m, nn.LayerNorm)} == {1e-6}


@torch.no_grad()
def test_positions_act_on_scores_through_the_unscaled_query() -> None:
    attention = small().blocks[1].attn
    side, width, heads = 4, 24, 2
    d = width // heads
    x = torch.randn(1, side, side, width)
    q, k, v = (
        functional.linear(x, attention.qkv.weight, attention.qkv.bias).view(-1, 3 * width).split(width, -1)
    )
    out = torch.empty(side * side, width)
    places = [(i, j) for i in range(side) for j in range(side)]
    for head in range(heads):
        cut = slice(head * d, (head + 1) * d)
        for row, (i, j) in enumerate(places):
            bias = [
                q[row, cut] @ (attention.rel_pos_h[i - a + side - 1] + attention.rel_pos_w[j - b + side - 1])
                for a, b in places
            ]
            scores = d**-0.5 * k[:, cut] @ q[row, cut] + torch.stack(bias)
            out[row, cut] = scores.softmax(0) @ v[:, cut]
    expected = functional.linear(out, attention.proj.weight, attention.proj.bias).view_as(x)
    torch.testing.assert_close(attention(x), expected, atol=1e-5, rtol=0)


def test_the_neck_of_vit_b_and_l_has_the_published_widths() -> None:
    for width, inner in ((768, (384, 384, 1536)), (1024, (512, 512, 2048))):
        with torch.device("meta"):
            neck = Neck(width, (128, 256, 512, 1024))
        firsts = (neck.down_4[0], neck.down_8[0], neck.down_32[0])
        assert tuple(layer.out_channels for layer in firsts) == inner


@torch.no_grad()
def test_the_neck_is_its_formula() -> None:
    network = small()
    neck = network.neck
    assert isinstance(neck, Neck)
    x = torch.randn(2, 24, 4, 4)

    def norm(layer: nn.Module, x: Tensor) -> Tensor:
        """Over everything of an image, then scaled a channel."""
        mean, var = x.mean((1, 2, 3), keepdim=True), x.var((1, 2, 3), keepdim=True, correction=0)
        return (x - mean) / (var + 1e-5).sqrt() * layer.weight[:, None, None] + layer.bias[:, None, None]

    up = neck.down_4
    first = functional.gelu(norm(up[1], functional.conv_transpose2d(x, up[0].weight, up[0].bias, stride=2)))
    second = norm(up[4], functional.conv_transpose2d(first, up[3].weight, up[3].bias, stride=2))
    fine = functional.gelu(norm(up[6], functional.conv2d(second, up[5].weight, up[5].bias)))
    same = functional.gelu(
        norm(neck.down_16[1], functional.conv2d(x, neck.down_16[0].weight, neck.down_16[0].bias))
    )
    down = neck.down_32
    halved = norm(down[1], functional.conv2d(x, down[0].weight, down[0].bias, stride=2))
    coarse = functional.gelu(norm(down[3], functional.conv2d(halved, down[2].weight, down[2].bias)))
    half = neck.down_8
    doubled = norm(half[1], functional.conv_transpose2d(x, half[0].weight, half[0].bias, stride=2))
    middle = functional.gelu(norm(half[3], functional.conv2d(doubled, half[2].weight, half[2].bias)))
    for found, expected in zip(neck(x), (fine, middle, same, coarse), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_declared_channels_strides_and_size_are_those_of_the_maps() -> None:
    shape = SamViT.declare(SamViT.Options(**SMALL))
    assert shape.fixed_size == (64, 64)
    expected = [(1, c, 64 // s, 64 // s) for c, s in zip(shape.channels, shape.strides, strict=True)]
    assert [tuple(x.shape) for x in small()(torch.randn(1, 3, 64, 64))] == expected


def test_an_input_of_another_size_is_said_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"sam_vit takes 64 x 64 pixels, not \(64, 96\)"):
        small()(torch.randn(1, 3, 64, 96))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"heads": 5}, "width 768 does not split into 5 heads"),
        ({"global_blocks": (2, 12)}, "global_blocks names block 12, but they are 0 to 11"),
        ({"image_size": 1000}, "multiple of 32"),
        ({"channels": (0, 1, 1, 1)}, "expected four numbers above 0"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        SamViT.Options(**options)

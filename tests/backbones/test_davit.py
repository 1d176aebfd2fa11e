"""DaViT: timm's registered models at the published settings, and the published formulas of a pair of blocks."""

from typing import Any

import pytest
import timm
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional

from seemkit.checkpoint.keys import to_theirs
from seemkit_backbones.davit import DaViT

SMALL: dict[str, Any] = {"width": 16, "depths": (1, 1, 2, 1), "head_width": 8}


def small(**options: Any) -> Any:
    torch.manual_seed(0)
    network = DaViT.build(DaViT.Options(**(SMALL | options))).eval()
    for p in network.parameters():
        nn.init.normal_(
            p, p.mean().round().item(), 0.2
        )  # so that every part counts: new ones are near 0 or 1
    return network


@pytest.mark.parametrize(("model", "kernel"), [("davit_base", 2), ("davit_huge", 3)])
@torch.no_grad()
def test_it_is_timms_model_with_the_second_form_of_channel_attention(model: str, kernel: int) -> None:
    network = small(down_kernel=kernel)
    image, maps = torch.randn(1, 3, 96, 64), {}
    for v2 in (True, False):
        theirs = timm.create_model(
            model,
            embed_dims=(16, 32, 64, 128),
            num_heads=(2, 4, 8, 16),
            depths=(1, 1, 2, 1),
            down_kernel_size=kernel,
            channel_attn_v2=v2,
            named_blocks=True,
        ).eval()
        missing, unexpected = theirs.load_state_dict(network.state_dict(), strict=False)
        assert (unexpected, {key.split(".")[0] for key in missing}) == ([], {"head"})
        maps[v2] = theirs.forward_intermediates(image, intermediates_only=True)
    torch.testing.assert_close(list(network(image)), maps[True], atol=1e-4, rtol=0)
    assert (network(image)[0] - maps[False][0]).abs().max() > 0.01


def attend_in_windows(x: Tensor, weights: dict[str, Tensor], heads: int, window: int) -> Tensor:
    """(h, w, C): attention within windows of the map padded with zeros, which are attended to."""
    h, w, c = x.shape
    out = torch.zeros(-(-h // window) * window, -(-w // window) * window, c)
    padded = functional.pad(x, (0, 0, 0, -w % window, 0, -h % window))
    for top in range(0, len(padded), window):
        for left in range(0, padded.shape[1], window):
            cells = padded[top : top + window, left : left + window].reshape(-1, c)
            q, k, v = (cells @ weights["qkv.weight"].T + weights["qkv.bias"]).split(c, dim=-1)
            for head in torch.arange(c).split(c // heads):
                scores = q[:, head] @ k[:, head].T * (c // heads) ** -0.5
                found = (scores.softmax(-1) @ v[:, head]).view(window, window, -1)
                out[top : top + window, left : left + window, head] = found
    return out[:h, :w] @ weights["proj.weight"].T + weights["proj.bias"]


def attend_to_channels(x: Tensor, weights: dict[str, Tensor], groups: int) -> Tensor:
    """(h, w, C): channels of a group attend to each other, scaled by the number of tokens."""
    h, w, c = x.shape
    cells = x.reshape(-1, c)
    q, k, v = (cells @ weights["qkv.weight"].T + weights["qkv.bias"]).split(c, dim=-1)
    out = torch.empty(h * w, c)
    for group in torch.arange(c).split(c // groups):
        attention = ((q[:, group] * (h * w) ** -0.5).T @ k[:, group]).softmax(-1)
        out[:, group] = (attention @ v[:, group].T).T
    return (out @ weights["proj.weight"].T + weights["proj.bias"]).view(h, w, c)


def published_block(x: Tensor, weights: dict[str, Tensor], attention: str) -> Tensor:
    """(h, w, C) through a block, over the published names behind `backbone.blocks.0.0.spatial_block.`."""

    def part(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}

    def place(x: Tensor, name: str) -> Tensor:
        w, b = weights[f"{name}.fn.dw.weight"], weights[f"{name}.fn.dw.bias"]
        out = functional.conv2d(x.permute(2, 0, 1), w, b, padding=1, groups=x.shape[-1])
        return x + out.permute(1, 2, 0)

    def norm(x: Tensor, name: str) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])

    x = place(x, "conv1")
    inner = part(f"{attention}.fn.")
    normed = norm(x, f"{attention}.norm")
    x = x + (
        attend_in_windows(normed, inner, 2, 7)
        if attention == "window_attn"
        else attend_to_channels(normed, inner, 2)
    )
    x = place(x, "conv2")
    mlp = part("ffn.fn.net.")
    hidden = functional.gelu(norm(x, "ffn.norm") @ mlp["fc1.weight"].T + mlp["fc1.bias"])
    return x + hidden @ mlp["fc2.weight"].T + mlp["fc2.bias"]


@torch.no_grad()
def test_a_pair_of_blocks_follows_the_published_formulas_under_the_published_names() -> None:
    network = small()
    weights = {
        to_theirs(f"image_encoder.{key}", "davit"): value for key, value in network.state_dict().items()
    }
    x = torch.randn(1, 16, 9, 12)
    for kind, attention in (("spatial", "window_attn"), ("channel", "channel_attn")):
        prefix = f"backbone.blocks.0.0.{kind}_block."
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        expected = published_block(x[0].permute(1, 2, 0), own, attention)
        found = getattr(network.stages[0].blocks[0], f"{kind}_block")(x)
        torch.testing.assert_close(found[0].permute(1, 2, 0), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kernel", [2, 3])
@torch.no_grad()
def test_declared_channels_and_strides_are_those_of_the_maps(kernel: int) -> None:
    shape = DaViT.declare(DaViT.Options(**SMALL))
    expected = [(1, c, 64 // s, 96 // s) for c, s in zip(shape.channels, shape.strides, strict=True)]
    maps = small(down_kernel=kernel)(torch.randn(1, 3, 64, 96))
    assert [tuple(x.shape) for x in maps] == expected


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValidationError, match="width 100 does not split into heads of 32"):
        DaViT.Options(width=100)
    with pytest.raises(ValidationError, match="down_kernel"):
        DaViT.Options(down_kernel=4)

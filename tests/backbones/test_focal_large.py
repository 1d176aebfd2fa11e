"""Plain FocalNet: timm's at the published settings, and the published formulas under the published names."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from timm.models.focalnet import FocalNet
from torch import Tensor
from torch.nn import functional

from seemkit.checkpoint.keys import shape_to_theirs, to_theirs
from seemkit_backbones.focal_large import FocalLarge

SMALL = {"width": 16, "depths": (1, 1, 2, 1), "levels": 2, "layer_scale": 0.5}


def small() -> Any:
    torch.manual_seed(0)
    network = FocalLarge.build(FocalLarge.Options(**SMALL)).eval()
    for p in network.parameters():
        torch.nn.init.normal_(
            p, p.mean().round().item(), 0.2
        )  # so that every part counts: new ones are near 0 or 1
    return network


def layer_norm(x: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])


def linear(x: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def conv(x: Tensor, weights: dict[str, Tensor], name: str, **how: int) -> Tensor:
    """(B, h, w, C) to the same."""
    bias = weights.get(f"{name}.bias")
    return functional.conv2d(x.permute(0, 3, 1, 2), weights[f"{name}.weight"], bias, **how).permute(
        0, 2, 3, 1
    )


def modulate(x: Tensor, weights: dict[str, Tensor], name: str, levels: int) -> Tensor:
    c = x.shape[-1]
    query, context, gates = linear(x, weights, f"{name}.f").split((c, c, levels + 1), dim=-1)
    total = torch.zeros_like(query)
    for k in range(levels):
        layer = f"{name}.focal_layers.{k}.0"
        context = functional.gelu(conv(context, weights, layer, padding=1 + k, groups=c))
        total = total + context * gates[..., k : k + 1]
    total = total + functional.gelu(context.mean((1, 2), keepdim=True)) * gates[..., levels:]
    return linear(query * conv(total / (levels + 1), weights, f"{name}.h"), weights, f"{name}.proj")


def published_features(image: Tensor, weights: dict[str, Tensor], depths: tuple[int, ...]) -> list[Tensor]:
    """Features by the formulas of the original network, written down once more over the published names."""
    x = conv(image.permute(0, 2, 3, 1), weights, "backbone.patch_embed.proj", stride=4, padding=2)
    x = layer_norm(x, weights, "backbone.patch_embed.norm")
    outputs = []
    for stage, depth in enumerate(depths):
        for block in range(depth):
            name = f"backbone.layers.{stage}.blocks.{block}"
            branch = layer_norm(modulate(x, weights, f"{name}.modulation", 2), weights, f"{name}.norm1")
            x = x + weights[f"{name}.gamma_1"] * branch
            hidden = functional.gelu(linear(x, weights, f"{name}.mlp.fc1"))
            branch = layer_norm(linear(hidden, weights, f"{name}.mlp.fc2"), weights, f"{name}.norm2")
            x = x + weights[f"{name}.gamma_2"] * branch
        outputs.append(layer_norm(x, weights, f"backbone.norm{stage}").permute(0, 3, 1, 2))
        if stage < 3:
            down = f"backbone.layers.{stage}.downsample"
            x = layer_norm(conv(x, weights, f"{down}.proj", stride=2, padding=1), weights, f"{down}.norm")
    return outputs


@torch.no_grad()
def test_features_follow_the_published_formulas_under_the_published_names() -> None:
    network = small()
    weights = {}
    for key, value in network.state_dict().items():
        ours = f"image_encoder.{key}"
        shape = shape_to_theirs(ours, value.shape, "focal_large")
        weights[to_theirs(ours, "focal_large")] = value.reshape(shape)
    image = torch.randn(2, 3, 64, 96)
    for ours, theirs in zip(network(image), published_features(image, weights, (1, 1, 2, 1)), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@torch.no_grad()
def test_it_is_timms_network_with_the_modulator_normalised() -> None:
    network = small()
    image, maps = torch.randn(1, 3, 64, 96), {}
    for normalised in (True, False):
        theirs = FocalNet(
            embed_dim=16,
            depths=(1, 1, 2, 1),
            focal_levels=(2,) * 4,
            focal_windows=(3,) * 4,
            use_overlap_down=True,
            use_post_norm=True,
            layerscale_value=0.5,
            normalize_modulator=normalised,
        ).eval()
        weights = {k: v for k, v in network.state_dict().items() if not k.startswith("out_norms.")}
        missing, unexpected = theirs.load_state_dict(weights, strict=False)
        assert (unexpected, {key.split(".")[0] for key in missing}) == ([], {"norm", "head"})
        raw = theirs.forward_intermediates(image, intermediates_only=True)
        maps[normalised] = [
            norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            for norm, x in zip(network.out_norms, raw, strict=True)
        ]
    torch.testing.assert_close(list(network(image)), maps[True], atol=1e-5, rtol=0)
    assert (network(image)[3] - maps[False][3]).abs().max() > 0.01


@torch.no_grad()
def test_declared_channels_and_strides_are_those_of_the_maps() -> None:
    options = FocalLarge.Options(**SMALL)
    shape = FocalLarge.declare(options)
    expected = [(1, c, 64 // s, 96 // s) for c, s in zip(shape.channels, shape.strides, strict=True)]
    assert [tuple(x.shape) for x in small()(torch.randn(1, 3, 64, 96))] == expected


def test_stochastic_depth_acts_in_training_only() -> None:
    network = FocalLarge.build(FocalLarge.Options(**(SMALL | {"drop_path": 0.9})))
    image = torch.randn(1, 3, 32, 32)
    torch.manual_seed(0)
    assert not torch.equal(network(image)[3], network(image)[3])
    network.eval()
    torch.testing.assert_close(network(image)[3], network(image)[3], atol=0, rtol=0)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(ValidationError, match="depthwise"):
        FocalLarge.Options(depthwise=False)

"""FocalNet at small sizes; SEEM-T's numbers are checked in tests/parity, the plain form against timm's."""

import re

import pytest
import torch
from pydantic import ValidationError
from timm.models.focalnet import FocalNet
from torch import Tensor

from seemkit_backbones.focal import Focal

SMALL = {"width": 16, "depths": (1, 1, 2, 1)}


def timm_name(key: str) -> str:
    """The name in timm's FocalNet of a parameter of ours."""
    key = key.replace("patch_embed.", "stem.")
    key = re.sub(r"layers\.(\d+)\.downsample", lambda m: f"layers.{int(m[1]) + 1}.downsample", key)
    key = re.sub(r"blocks\.(\d+)\.norm(\d)", r"blocks.\1.norm\2_post", key)
    return re.sub(r"gamma_(\d)", r"ls\1.gamma", key)


@torch.no_grad()
def test_the_plain_form_is_timms_focalnet() -> None:
    torch.manual_seed(0)
    ours = Focal.build(Focal.Options(**SMALL, levels=2, depthwise=False, layer_scale=0.5)).eval()
    theirs = FocalNet(
        embed_dim=16,
        depths=(1, 1, 2, 1),
        focal_levels=(2,) * 4,
        focal_windows=(3,) * 4,
        use_overlap_down=True,
        use_post_norm=True,
        layerscale_value=0.5,
        normalize_modulator=True,
    ).eval()
    shapes = theirs.state_dict()
    weights = {
        timm_name(key): value.reshape(shapes[timm_name(key)].shape)
        for key, value in ours.state_dict().items()
        if not key.startswith("out_norms.")
    }
    missing, unexpected = theirs.load_state_dict(weights, strict=False)
    assert (unexpected, {key.split(".")[0] for key in missing}) == ([], {"norm", "head"})
    image = torch.randn(2, 3, 64, 96)
    expected: list[Tensor] = theirs.forward_intermediates(image, intermediates_only=True)
    for norm, feature, reference in zip(ours.out_norms, ours(image), expected, strict=True):  # type: ignore[arg-type]
        reference = norm(reference.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        torch.testing.assert_close(feature, reference, atol=1e-4, rtol=0)


@pytest.mark.parametrize("depthwise", [True, False])
@torch.no_grad()
def test_declared_channels_and_strides_are_those_of_the_maps(depthwise: bool) -> None:
    options = Focal.Options(**SMALL, depthwise=depthwise)
    shape = Focal.declare(options)
    maps = Focal.build(options).eval()(torch.randn(1, 3, 64, 96))
    expected = [(1, c, 64 // s, 96 // s) for c, s in zip(shape.channels, shape.strides, strict=True)]
    assert [tuple(x.shape) for x in maps] == expected


@torch.no_grad()
def test_a_size_that_the_strides_do_not_divide_is_padded() -> None:
    maps = Focal.build(Focal.Options(**SMALL)).eval()(torch.randn(1, 3, 61, 99))
    assert [tuple(x.shape[-2:]) for x in maps] == [(16, 25), (8, 13), (4, 7), (2, 4)]


def test_defaults_are_the_published_seem_t() -> None:
    with torch.device("meta"):
        network = Focal.build(Focal.Options())
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(29.92e6, rel=1e-3)


def test_stochastic_depth_acts_in_training_only() -> None:
    network = Focal.build(Focal.Options(**SMALL, drop_path=0.9, layer_scale=1.0))
    image = torch.randn(1, 3, 32, 32)
    torch.manual_seed(0)
    first, second = network(image)[3], network(image)[3]
    assert not torch.equal(first, second)
    network.eval()
    torch.testing.assert_close(network(image)[3], network(image)[3], atol=0, rtol=0)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(ValidationError, match="embed_dim"):
        Focal.Options(embed_dim=96)  # type: ignore[call-arg]

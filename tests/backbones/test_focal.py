"""FocalNet with depthwise blocks at small sizes; SEEM-T's numbers are checked in tests/parity."""

import pytest
import torch
from pydantic import ValidationError

from seemkit_backbones.focal import Focal

SMALL = {"width": 16, "depths": (1, 1, 2, 1)}


@torch.no_grad()
def test_declared_channels_and_strides_are_those_of_the_maps() -> None:
    options = Focal.Options(**SMALL)
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

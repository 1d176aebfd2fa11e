"""Backbones of timm: shapes are found without weights, and what does not fit is refused."""

import pytest
import timm
import torch
from pydantic import ValidationError

from seemkit.errors import SeemkitError
from seemkit_backbones.timm import Timm

# channels as timm 1.0 documents them; sizes are the model's own where it is fixed
MODELS = {
    "tf_efficientnet_lite0": ((24, 40, 112, 320), None),
    "resnet10t": ((64, 128, 256, 512), None),
    "swin_tiny_patch4_window7_224": ((96, 192, 384, 768), None),  # maps come as B h w C
    "vit_tiny_patch16_224": ((256, 256, 256, 256), None),  # through the simple pyramid
    "tnt_s_legacy_patch16_224": ((256, 256, 256, 256), (224, 224)),
}


@pytest.mark.parametrize(("name", "channels", "size"), [(name, *rest) for name, rest in MODELS.items()])
@torch.no_grad()
def test_declared_shapes_are_those_of_the_maps(
    name: str, channels: tuple[int, ...], size: tuple[int, int] | None
) -> None:
    options = Timm.Options(model=name)
    shape = Timm.declare(options)
    assert (shape.channels, shape.fixed_size) == (channels, size)
    height, width = size or (64, 96)
    maps = Timm.build(options).eval()(torch.randn(1, 3, height, width))
    expected = [(1, c, height // s, width // s) for c, s in zip(channels, shape.strides, strict=True)]
    assert [tuple(x.shape) for x in maps] == expected


@torch.no_grad()
def test_features_are_timms_own_at_strides_4_to_32() -> None:
    network = Timm.build(Timm.Options(model="resnet10t")).eval()
    theirs = timm.create_model("resnet10t", features_only=True).eval()  # also gives stride 2
    theirs.load_state_dict({key.removeprefix("trunk."): value for key, value in network.state_dict().items()})
    image = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(network(image), tuple(theirs(image)[1:]))


def test_declaring_allocates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    devices: list[str] = []
    create = timm.create_model

    def spy(*args: object, **keywords: object) -> torch.nn.Module:
        model: torch.nn.Module = create(*args, **keywords)
        devices.extend({parameter.device.type for parameter in model.parameters()})
        return model

    monkeypatch.setattr(timm, "create_model", spy)
    assert Timm.declare(Timm.Options(model="mobilenetv3_small_050")).channels == (8, 16, 24, 288)
    assert devices == ["meta"]


def test_normalisation_of_the_weights_is_declared_in_0_to_255() -> None:
    assert Timm.declare(Timm.Options(model="resnet10t")).mean is None  # ImageNet's
    assert Timm.declare(Timm.Options(model="tf_efficientnet_lite0")).std == (127.5, 127.5, 127.5)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("levit_128", "levit_128 gives features at strides 16, 32, 64; a backbone needs 4, 8, 16 and 32"),
        ("vit_base_patch14_dinov2", "gives features at strides 14; a backbone needs"),
        ("vit_base_patch32_224", "gives features at strides 32; a backbone needs"),
    ],
)
def test_a_model_without_the_strides_is_refused_in_one_sentence(name: str, sentence: str) -> None:
    with pytest.raises(SeemkitError, match=sentence) as caught:
        Timm.declare(Timm.Options(model=name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("resnett50", "'resnett50' is no model of timm; did you mean 'resnet50'"),
        (
            "resnet18.a1_in",
            "that timm has for resnet18; did you mean 'resnet18.a1_in1k'",
        ),
        ("hf-hub:someone/model", "is no model of timm"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Timm.Options(model=name)

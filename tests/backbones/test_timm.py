"""Backbones of timm: shapes are found without weights, what is missing is made, and what does not fit is refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import timm
import torch
from pydantic import ValidationError

from seemkit.errors import SeemkitError
from seemkit_backbones.timm import Timm
from seemkit_backbones.timm_features import plan_features

# channels as timm 1.0 documents them, 256 for maps that are made; sizes are the model's own where it takes one only,
# in cells of the nearest power of two
MODELS = {
    "tf_efficientnet_lite0": ((24, 40, 112, 320), None),
    "resnet10t": ((64, 128, 256, 512), None),
    "swin_tiny_patch4_window7_224": ((96, 192, 384, 768), None),  # maps come as B h w C
    "vit_tiny_patch16_224": ((256, 256, 256, 256), None),  # through the simple pyramid
    "tnt_s_legacy_patch16_224": ((256, 256, 256, 256), (224, 224)),
    "vit_small_patch14_dinov2": ((256, 256, 256, 256), None),  # its input is resized by 7/8
    "levit_128s": ((256, 256, 128, 256), (224, 224)),  # strides 16 and 32 (and 64)
    "nest_tiny": ((96, 192, 384, 256), (224, 224)),  # strides 4 to 16
    "pit_ti_224": ((256, 64, 128, 256), (224, 224)),  # strides 8 to 32; timm would collect them in hooks
    "crossvit_9_240": ((256, 256, 256, 256), (224, 224)),  # 14 x 14 cells of 240 pixels
    "inception_v3": ((192, 288, 768, 2048), None),  # does not pad at borders
}


@pytest.mark.parametrize(("name", "channels", "size"), [(name, *rest) for name, rest in MODELS.items()])
@torch.no_grad()
def test_declared_shapes_are_those_of_the_maps(
    name: str, channels: tuple[int, ...], size: tuple[int, int] | None
) -> None:
    options = Timm.Options(model=name)
    shape = Timm.declare(options)
    assert (shape.channels, shape.fixed_size) == (channels, size)
    network = Timm.build(options).eval()
    for height, width in [size] if size else [(64, 96), (32, 32)]:
        maps = network(torch.randn(1, 3, height, width))
        expected = [(1, c, height // s, width // s) for c, s in zip(channels, shape.strides, strict=True)]
        assert [tuple(x.shape) for x in maps] == expected


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("test_resnet", []),
        ("test_vit", ["simple pyramid: the model gives one map, at stride 16 (64 channels), so four"]),
        ("levit_128s", ["pyramid: the model's maps are at strides 16 and 32, so those at 4 and 8 are made"]),
        (
            "vit_small_patch14_dinov2",
            ["resizing: the model's strides are no powers of two", "simple pyramid"],
        ),
        ("crossvit_9_240", ["resizing: the model takes 240 x 240 pixels only", "simple pyramid"]),
    ],
)
def test_what_is_put_around_a_model_is_said(name: str, sentences: list[str]) -> None:
    said = Timm.declare(Timm.Options(model=name)).adapters
    assert len(said) == len(sentences)
    assert all(a.startswith(b) for a, b in zip(said, sentences, strict=True)), said


def test_a_model_that_takes_multiples_of_its_own_size_says_so() -> None:
    shape = Timm.declare(Timm.Options(model="test_maxvit"))
    assert (shape.divisor, shape.fixed_size) == (160, None)


@torch.no_grad()
def test_a_model_of_one_size_is_built_for_another() -> None:
    assert Timm.declare(Timm.Options(model="test_vit_relpos")).fixed_size == (160, 160)
    options = Timm.Options(model="test_vit_relpos", image_size=96)
    assert Timm.declare(options).fixed_size == (96, 96)
    assert Timm.build(options).eval()(torch.randn(1, 3, 96, 96))[0].shape[-2:] == (24, 24)
    with pytest.raises(ValueError, match=r"takes \(96, 96\) pixels \(H, W\), not \(64, 96\)"):
        Timm.build(options)(torch.randn(1, 3, 64, 96))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("test_resnet", "test_resnet cannot be built for 96 x 96 pixels; leave image_size out"),
        ("test_vit", "test_vit takes images of more than one size, so it needs no image_size"),
    ],
)
def test_an_image_size_that_does_nothing_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(SeemkitError, match=sentence):
        Timm.declare(Timm.Options(model=name, image_size=96))


@torch.no_grad()
def test_a_model_whose_maps_timm_collects_in_hooks_is_not_mixed_up_between_threads() -> None:
    network = Timm.build(Timm.Options(model="pit_ti_224")).eval()
    images = [torch.randn(1, 3, 224, 224) for _ in range(4)]
    alone = [network(image)[2] for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(torch.no_grad()(network), images * 3))
    for k, maps in enumerate(together):
        torch.testing.assert_close(maps[2], alone[k % 4])


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
    plan_features.cache_clear()  # another test of the process may have planned the same model
    assert Timm.declare(Timm.Options(model="mobilenetv3_small_050")).channels == (8, 16, 24, 288)
    assert devices == ["meta"]


def test_normalisation_of_the_weights_is_declared_in_0_to_255() -> None:
    assert Timm.declare(Timm.Options(model="resnet10t")).mean is None  # ImageNet's
    assert Timm.declare(Timm.Options(model="tf_efficientnet_lite0")).std == (127.5, 127.5, 127.5)


class Trunk(torch.nn.Module):
    """What timm would give, of made-up strides."""

    def __init__(self, reduction: list[int], shape: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.strides, self.shape = reduction, shape
        self.out_indices = tuple(range(len(reduction)))

    @property
    def feature_info(self) -> "Trunk":
        return self

    def reduction(self) -> list[int]:
        return self.strides

    def channels(self) -> list[int]:
        return [8] * len(self.strides)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        if self.shape is None:
            raise RuntimeError("a layer says no")
        return [torch.empty(self.shape, device="meta") for _ in self.strides]


class Asking(Trunk):
    """Needs a number to go on, as timm's gemma4_vit does."""

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        return [image[..., : int(image.sum().item())]]


@pytest.mark.parametrize(
    ("trunk", "sentence"),
    [
        (
            lambda: Trunk([64]),
            "resnet18 gives features at strides 64; a backbone needs one at 4, 8, 16 or 32",
        ),
        (
            lambda: Trunk([16]),
            "resnet18 runs neither at sizes that are multiples of 32 nor at 224 x 224",
        ),
        (
            lambda: Trunk([16], (1, 9, 14, 14)),
            r"gives maps of .*9, 14, 14.*, where it declares \[8\] channels",
        ),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_in_one_sentence(
    trunk: Callable[[], Trunk], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timm, "create_model", lambda *args, **keywords: trunk())
    plan_features.cache_clear()
    try:
        with pytest.raises(SeemkitError, match=sentence) as caught:
            Timm.declare(Timm.Options(model="resnet18"))
        assert "\n" not in str(caught.value)
    finally:
        plan_features.cache_clear()


def test_a_model_without_feature_maps_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **keywords: object) -> torch.nn.Module:
        raise NotImplementedError

    monkeypatch.setattr(timm, "create_model", refuse)
    plan_features.cache_clear()
    with pytest.raises(SeemkitError, match="resnet18 gives no feature maps, so it cannot be a backbone"):
        Timm.declare(Timm.Options(model="resnet18"))


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

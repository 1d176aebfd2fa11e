"""For every check of backbones a plugin that breaks it, and, but for what follows from that, breaks no other."""

import copy
import random
import sys
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import pytest
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from seemkit.api import BackboneShape
from seemkit.testing import BackboneContract, check_backbone


class Net(nn.Module):
    """Four strided convolutions; a subclass changes the input, the maps, or what it is made of."""

    def __init__(self, shape: BackboneShape) -> None:
        super().__init__()
        ins, strides = (3, *shape.channels), (4, 2, 2, 2)
        self.steps = nn.ModuleList(
            nn.Conv2d(i, o, s, s) for i, o, s in zip(ins, shape.channels, strides, strict=False)
        )

    def forward(self, image: Tensor) -> Any:
        maps = []
        for step in self.steps:
            image = step(image).sin()
            maps.append(image)
        return maps


class Sound:
    """A backbone that keeps the contract."""

    class Options(BaseModel):
        """Its options."""

        model_config = ConfigDict(frozen=True, extra="forbid")
        width: int = Field(4, description="channels of the finest map")

    net: ClassVar[type[Net]] = Net
    given: ClassVar[dict[str, Any]] = {}

    @classmethod
    def shape(cls, options: Any) -> BackboneShape:
        w = options.width
        return BackboneShape((w, 2 * w, 4 * w, 8 * w))

    @classmethod
    def declare(cls, options: Any) -> Any:
        return cls.shape(options)

    @classmethod
    def build(cls, options: Any) -> nn.Module:
        return cls.net(cls.shape(options))


class Loose(Sound):
    """A backbone with options of any name."""

    class Options(BaseModel):
        """Its options."""

        model_config = ConfigDict(frozen=True)
        width: int = Field(4, description="channels of the finest map")


class Scaled(BaseModel):
    """An option that is written otherwise than it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    width: int = Field(4, description="channels of the finest map")

    def model_dump_json(self, **keywords: Any) -> str:
        return f'{{"width": {self.width + 1}}}'


class Lossy(Sound):
    """A backbone whose options come back otherwise."""

    Options: ClassVar[Any] = Scaled


class Mute(Sound):
    """A backbone that does not say what its option is."""

    class Options(BaseModel):
        """Its options."""

        model_config = ConfigDict(frozen=True, extra="forbid")
        width: int = 4


class Random(Sound):
    """A backbone that draws numbers of its own."""

    class net(Net):  # noqa: N801
        def __init__(self, shape: BackboneShape) -> None:
            super().__init__(shape)
            self.scale = nn.Parameter(torch.ones(4, 1, 1) * random.random())

        def forward(self, image: Tensor) -> Any:
            first, *rest = super().forward(image)
            return [first * self.scale, *rest]


class Lost(Sound):
    """A backbone with a drawn buffer that is not saved."""

    class net(Net):  # noqa: N801
        def __init__(self, shape: BackboneShape) -> None:
            super().__init__(shape)
            self.register_buffer("offset", torch.randn(4, 1, 1), persistent=False)

        def forward(self, image: Tensor) -> Any:
            first, *rest = super().forward(image)
            return [first + self.offset, *rest]


class Hidden(Sound):
    """A backbone with a drawn tensor that torch knows nothing of."""

    class net(Net):  # noqa: N801
        def __init__(self, shape: BackboneShape) -> None:
            super().__init__(shape)
            self.offset = torch.randn(4, 1, 1)

        def forward(self, image: Tensor) -> Any:
            first, *rest = super().forward(image)
            return [first + self.offset.to(first), *rest]


class Entangled(Sound):
    """A backbone that shares a weight with its copies."""

    class net(Net):  # noqa: N801
        def __init__(self, shape: BackboneShape) -> None:
            super().__init__(shape)
            self.scale = nn.Parameter(torch.ones(4, 1, 1))

        def __deepcopy__(self, memo: dict[int, Any]) -> Any:
            memo[id(self.scale)] = self.scale
            copied = type(self).__new__(type(self))
            memo[id(self)] = copied
            copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
            return copied

        def forward(self, image: Tensor) -> Any:
            first, *rest = super().forward(image)
            return [first * self.scale, *rest]


class Rooted(Sound):
    """A backbone that cannot be sent anywhere."""

    class net(Net):  # noqa: N801
        def __reduce_ex__(self, protocol: Any) -> Any:
            if sys._getframe(1).f_code.co_name in ("deepcopy", "_deepcopy_dispatch"):
                return super().__reduce_ex__(protocol)
            raise TypeError("cannot pickle a Rooted")


class Noisy(Sound):
    """A backbone with dropout that never rests."""

    class net(Net):  # noqa: N801
        def forward(self, image: Tensor) -> Any:
            first, *rest = super().forward(image)
            return [first + 1e-5 * torch.rand_like(first), *rest]


class Tallying(Sound):
    """A backbone that counts its calls in a buffer."""

    class net(Net):  # noqa: N801
        def __init__(self, shape: BackboneShape) -> None:
            super().__init__(shape)
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, image: Tensor) -> Any:
            self.calls += 1
            return super().forward(image)


class Stuck(Sound):
    """A backbone with a part that stays in training."""

    class net(Net):  # noqa: N801
        def train(self, mode: bool = True) -> Any:
            super().train(mode)
            if mode:
                self.stuck = True
            self.steps[0].training = getattr(self, "stuck", False)
            return self


class Builder(Sound):
    """A backbone that is built to be declared."""

    @classmethod
    def declare(cls, options: Any) -> Any:
        cls.build(options)
        return cls.shape(options)


class Vague(Sound):
    """A backbone with a divisor that its strides do not divide."""

    @classmethod
    def declare(cls, options: Any) -> Any:
        return BackboneShape(cls.shape(options).channels, divisor=48)


class Bright(Sound):
    """A backbone with a mean on the scale of [0, 1]."""

    @classmethod
    def declare(cls, options: Any) -> Any:
        return BackboneShape(cls.shape(options).channels, mean=(0.5, 0.5, 0.5))


class Narrow(Sound):
    """A backbone with fewer channels than it says."""

    @classmethod
    def declare(cls, options: Any) -> Any:
        w = options.width
        return BackboneShape((w, 2 * w, 4 * w, 9 * w))


class Nearsighted(Sound):
    """It declares a closer look and has none."""

    @classmethod
    def shape(cls, options: Any) -> BackboneShape:
        return replace(super().shape(options), closer=(5,))


class Upright(Sound):
    """A backbone for images that are not tall."""

    class net(Net):  # noqa: N801
        def forward(self, image: Tensor) -> Any:
            if image.shape[2] > image.shape[3]:
                raise ValueError("the image is taller than wide")
            return super().forward(image)


class Sociable(Sound):
    """A backbone that looks at the whole batch."""

    class net(Net):  # noqa: N801
        def forward(self, image: Tensor) -> Any:
            return super().forward(image - image.mean(0, keepdim=True) / 2)


class Dividing(Sound):
    """A backbone that divides by the deviation of the image."""

    class net(Net):  # noqa: N801
        def forward(self, image: Tensor) -> Any:
            return super().forward(image / image.std((1, 2, 3), keepdim=True))


class Rewriting(Sound):
    """A backbone that writes into its input where nobody looks twice."""

    class net(Net):  # noqa: N801
        def forward(self, image: Tensor) -> Any:
            maps = super().forward(image)
            image.data[:, :, -1, -1] += 1e-6
            return maps


class Idle(Sound):
    """A backbone with a layer for nothing."""

    class net(Net):  # noqa: N801
        def __init__(self, shape: BackboneShape) -> None:
            super().__init__(shape)
            self.head = nn.Linear(3, 3)


class Coarse(Sound):
    """A backbone that sums what half precision does not hold."""

    class net(Net):  # noqa: N801
        def forward(self, image: Tensor) -> Any:
            first, *rest = super().forward(image)
            return [(first + 300) - 300, *rest]


class Strided(Sound):
    """A backbone that reads memory as it lies."""

    class net(Net):  # noqa: N801
        def forward(self, image: Tensor) -> Any:
            if image.stride(1) == 1:
                image = image.flip(1)
            return super().forward(image)


class Broken(Sound):
    """A backbone that no compiler takes whole."""

    class net(Net):  # noqa: N801
        def forward(self, image: Tensor) -> Any:
            torch._dynamo.graph_break()
            return super().forward(image)


class Local(Sound):
    """A backbone that runs in Python only."""

    class net(Net):  # noqa: N801
        def forward(self, image: Tensor) -> Any:
            if not torch.compiler.is_dynamo_compiling() and torch.compiler.is_exporting():
                raise RuntimeError("not without Python")
            return super().forward(image)


class Grounded(Sound):
    """A backbone that is made on the CPU, wherever it is asked for."""

    class net(Net):  # noqa: N801
        def __init__(self, shape: BackboneShape) -> None:
            super().__init__(shape)
            with torch.device("cpu"):
                self.steps[3] = nn.Conv2d(shape.channels[2], shape.channels[3], 2, 2)


class Break(NamedTuple):
    """A broken plugin, the check that it fails, and those that fail with it."""

    backbone: type[Sound]
    check: str
    also: set[str] = set()
    width: int = 4


FILE, COPY = "test_weights_come_back_from_a_file", "test_a_deep_copy_is_independent"
PICKLE = "test_it_can_be_pickled"
BITS, MODES = "test_it_is_deterministic", "test_training_mode_and_back_changes_nothing"
BROKEN = [
    Break(Loose, "test_its_options_are_frozen_and_strict"),
    Break(Lossy, "test_its_options_come_back_from_json"),
    Break(Mute, "test_it_and_its_options_are_described"),
    Break(Random, "test_two_builds_agree"),
    Break(Lost, "test_the_state_dict_is_whole", {FILE}),
    Break(Hidden, FILE),
    Break(Entangled, COPY),
    Break(Rooted, PICKLE),
    Break(Noisy, BITS, {FILE, COPY, PICKLE, MODES}),
    Break(Tallying, "test_a_call_changes_no_weights"),
    Break(Stuck, MODES),
    Break(Builder, "test_declaring_builds_nothing", width=64),
    Break(Vague, "test_the_declaration_is_sane"),
    Break(Bright, "test_mean_and_deviation_are_on_the_scale_of_pixels"),
    Break(Narrow, "test_the_maps_are_as_declared", {"test_it_takes_any_aspect"}),
    Break(Nearsighted, "test_a_closer_look_is_as_declared"),
    Break(Upright, "test_it_takes_any_aspect"),
    Break(Sociable, "test_a_batch_is_as_its_images"),
    Break(Dividing, "test_a_uniform_image_gives_finite_maps"),
    Break(Rewriting, "test_the_input_is_left_as_it_is"),
    Break(Idle, "test_gradients_reach_every_parameter"),
    Break(Coarse, "test_bfloat16_is_close"),
    Break(Strided, "test_channels_last_is_equal"),
    Break(Broken, "test_it_compiles"),
    Break(Local, "test_it_exports"),
    Break(Grounded, "test_it_builds_on_the_meta_device", width=64),
]


NAMES = {about.name for about in BackboneContract.checks()}
TRACED = {"test_it_compiles", "test_it_exports"}


@pytest.mark.parametrize("width", [4, 64])
def test_the_sound_one_passes(width: int) -> None:
    report = check_backbone(Sound, {"width": width})
    assert report.ok, str(report)


each_broken = pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.backbone.__name__)


@each_broken
def test_a_broken_backbone_fails_the_check_that_is_for_it(broken: Break) -> None:
    only = NAMES - (TRACED - {broken.check})
    report = check_backbone(broken.backbone, {"width": broken.width}, only=only)
    assert {outcome.name for outcome in report.failed} == {broken.check, *broken.also}, str(report)


def test_every_check_has_a_plugin_that_fails_it() -> None:
    assert {broken.check for broken in BROKEN} == NAMES

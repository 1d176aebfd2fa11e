"""Any timm model as a backbone: its own maps at strides 4, 8, 16 and 32, and what is missing made of them."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, cast

import timm
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor, nn
from torch.nn import functional

from seemkit.api import BackboneShape, SeemkitError
from seemkit_backbones import mobile_sam  # noqa: F401 - timm knows its architectures from here on
from seemkit_backbones.pyramid import STRIDES, Pyramid, pyramid_channels
from seemkit_backbones.resize import resize
from seemkit_backbones.timm_features import FeaturePlan, create, plan_features

__all__ = ["Timm"]


class Timm:
    """Any timm model by name, with the feature maps that it has and a pyramid for those that it lacks."""

    class Options(BaseModel):
        """A model of timm; random weights unless `pretrained`."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        model: str = Field(description="timm's name of the model, such as resnet50 or convnext_tiny.fb_in1k")
        pretrained: bool = Field(False, description="let timm fetch the weights that it has for this name")
        pyramid_width: int = Field(
            256, ge=1, description="channels of the maps that the model lacks: all four on a plain ViT"
        )
        image_size: int | None = Field(
            None,
            ge=32,
            description="side of the input, in pixels, that a model of one size is built for; null is its own",
        )

        @field_validator("model")
        @classmethod
        def check_model(cls, name: str) -> str:
            """Refuse a name that timm does not know, with the nearest that it does."""
            architecture, _, tag = name.partition(".")
            if ":" in name or not timm.is_model(architecture):
                raise unknown(name, Timm.models(), "no model of timm")
            tagged = timm.list_models(f"{architecture}.*", pretrained=True) if tag else [name]
            if name not in tagged:
                raise unknown(name, tagged, f"none of the weights that timm has for {architecture}")
            return name

    @staticmethod
    def models() -> list[str]:
        """Every name that the option `model` takes, without the tags of weights."""
        names: list[str] = timm.list_models()
        return names

    @staticmethod
    def declare(options: Options) -> BackboneShape:
        """Channels, strides and normalisation, found on the meta device: no weight is allocated or fetched.

        Raises:
            SeemkitError: the model gives no feature maps.
        """
        plan = plan_features(options.model, options.image_size)
        return BackboneShape(
            channels=pyramid_channels(plan.strides(), options.pyramid_width),
            strides=STRIDES,
            divisor=plan.divisor,
            fixed_size=plan.fixed_size,
            mean=plan.mean,
            std=plan.std,
            adapters=tuple(tell_adapters(plan, options.pyramid_width)),
            closer=plan.closer,
        )

    @staticmethod
    def build(options: Options) -> nn.Module:
        """Return the network, with the weights that timm has for the name if `pretrained`."""
        plan = plan_features(options.model, options.image_size)
        trunk = create(options.model, plan.keywords, out_indices=plan.indices, pretrained=options.pretrained)
        return TimmPyramid(trunk, plan, options.pyramid_width)


class TimmPyramid(nn.Module):
    """Image (B, 3, H, W) to four maps (B, C_i, H / s_i, W / s_i) at strides 4, 8, 16 and 32."""

    def __init__(self, trunk: nn.Module, plan: FeaturePlan, width: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.plan = plan
        self.pyramid = Pyramid(plan.strides(), width)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Encode an image that is normalised by the declared mean and standard deviation.

        Raises:
            ValueError: the model takes one size only, and the image has another.
        """
        height, width = image.shape[-2:]
        if self.plan.fixed_size not in (None, (height, width)):
            raise ValueError(f"the model takes {self.plan.fixed_size} pixels (H, W), not {(height, width)}")
        least = self.plan.least
        padded = functional.pad(image, (0, max(least - width, 0), 0, max(least - height, 0)))
        h, w = padded.shape[-2:]
        maps: dict[int, Tensor] = {}
        found = self.trunk(resize(padded, self.plan.model_size((h, w))))
        for x, stride in zip(found, self.plan.strides(), strict=True):
            nchw = x.permute(0, 3, 1, 2) if self.plan.channels_last else x
            maps[stride] = resize(nchw, (h // stride, w // stride))[
                ..., : height // stride, : width // stride
            ]
        out: tuple[Tensor, ...] = self.pyramid(maps)
        return out

    def closer(self, image: Tensor) -> list[Tensor]:
        """What the model's own closer look gives, where it has one: maps of the declared channels."""
        assert self.plan.closer
        found: list[Tensor] = cast(Any, self.trunk).closer(image)
        return found


def tell_adapters(plan: FeaturePlan, width: int) -> Iterator[str]:
    """What stands around the model so that it gives four maps, each in a sentence."""
    sources = plan.strides()
    up, down = plan.scale
    if plan.own_size not in (None, plan.fixed_size):
        assert plan.own_size is not None
        h, w = plan.own_size
        yield f"resizing: the model takes {h} x {w} pixels only, so its input is resized to that"
    elif plan.own_size is None and up != down:
        yield f"resizing: the model's strides are no powers of two, so its input is resized by {up}/{down}"
    made = [stride for stride in STRIDES if stride not in sources]
    if len(sources) == 1:
        ((stride, channels),) = plan.sources
        yield (
            f"simple pyramid: the model gives one map, at stride {stride} ({channels} channels), so four maps of "
            f"{width} channels at strides 4, 8, 16 and 32 are made of it"
        )
    elif made:
        own, lacking = enumerate_strides(tuple(sources)), enumerate_strides(made)
        yield (
            f"pyramid: the model's maps are at strides {own}, so those at {lacking} are made of the nearest, "
            f"{width} channels each"
        )


def enumerate_strides(strides: Sequence[int]) -> str:
    """Such as "8, 16 and 32"."""
    *first, last = map(str, strides)
    return f"{', '.join(first)} and {last}" if first else last


def unknown(name: str, known: list[str], what: str) -> SeemkitError:
    """One sentence, with the nearest name that there is."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return SeemkitError(f"{name!r} is {what}{hint}", suggestion=near[0] if near else None)

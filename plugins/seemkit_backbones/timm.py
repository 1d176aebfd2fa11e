"""Any timm model with features at strides 4, 8, 16 and 32; plain ViTs through a simple feature pyramid."""

import difflib
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import timm
import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor, nn

from seemkit.api import BackboneShape, SeemkitError
from seemkit_backbones.simple_pyramid import SimplePyramid

__all__ = ["Timm"]

STRIDES = (4, 8, 16, 32)
PROBE = (288, 352)  # multiples of 32, of nothing larger, and not square


class Timm:
    """Any timm model by name, with its feature pyramid or, for a plain ViT, a simple one on top."""

    class Options(BaseModel):
        """A model of timm; random weights unless `pretrained`."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        model: str = Field(description="timm's name of the model, such as resnet50 or convnext_tiny.fb_in1k")
        pretrained: bool = Field(False, description="let timm fetch the weights that it has for this name")
        pyramid_width: int = Field(256, ge=1, description="channels of the pyramid on a plain ViT")

        @field_validator("model")
        @classmethod
        def check_model(cls, name: str) -> str:
            """Refuse a name that timm does not know, with the nearest that it does."""
            architecture, _, tag = name.partition(".")
            if ":" in name or not timm.is_model(architecture):
                raise unknown(name, timm.list_models(), "no model of timm")
            tagged = timm.list_models(f"{architecture}.*", pretrained=True) if tag else [name]
            if name not in tagged:
                raise unknown(name, tagged, f"none of the weights that timm has for {architecture}")
            return name

    @staticmethod
    def declare(options: Options) -> BackboneShape:
        """Channels, strides and normalisation, found on the meta device: no weight is allocated or fetched.

        Raises:
            SeemkitError: the model gives no features, or not at strides 4, 8, 16 and 32.
        """
        plan = plan_features(options.model)
        return BackboneShape(
            channels=(options.pyramid_width,) * 4 if plan.plain else plan.channels,
            strides=STRIDES,
            fixed_size=plan.fixed_size,
            mean=plan.mean,
            std=plan.std,
        )

    @staticmethod
    def build(options: Options) -> nn.Module:
        """Return the network, with the weights that timm has for the name if `pretrained`."""
        plan = plan_features(options.model)
        trunk = create(options.model, plan.keywords, out_indices=plan.indices, pretrained=options.pretrained)
        pyramid = SimplePyramid(plan.channels[0], options.pyramid_width) if plan.plain else None
        return TimmPyramid(trunk, pyramid, channels_last=plan.channels_last)


class TimmPyramid(nn.Module):
    """Image (B, 3, H, W) to four maps (B, C_i, H / s_i, W / s_i) at strides 4, 8, 16 and 32."""

    def __init__(self, trunk: nn.Module, pyramid: SimplePyramid | None, *, channels_last: bool) -> None:
        super().__init__()
        self.trunk = trunk
        self.pyramid = pyramid
        self.channels_last = channels_last

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Encode an image that is normalised by the declared mean and standard deviation."""
        maps: list[Tensor] = self.trunk(image)
        if self.channels_last:
            maps = [x.permute(0, 3, 1, 2) for x in maps]
        return tuple(maps) if self.pyramid is None else self.pyramid(maps[-1])


@dataclass(frozen=True)
class FeaturePlan:
    """How to take four maps from a timm model.

    Attributes:
        indices: of the model's feature maps, or how many from the end.
        channels: of the chosen maps; for a plain ViT of its only map, four times.
        plain: True if there is one map, at stride 16.
        channels_last: True if maps come as (B, h, w, C).
        fixed_size: (H, W) if the model takes no other.
        mean: of RGB in [0, 255], that its weights expect; None for ImageNet's.
        std: likewise.
        keywords: of the model's constructor.
    """

    indices: tuple[int, ...] | int
    channels: tuple[int, int, int, int]
    plain: bool
    channels_last: bool
    fixed_size: tuple[int, int] | None
    mean: tuple[float, float, float] | None
    std: tuple[float, float, float] | None
    keywords: tuple[tuple[str, bool], ...]


@lru_cache
def plan_features(name: str) -> FeaturePlan:
    """Build the model on the meta device, run it on a probe there, and choose its maps."""
    keywords: tuple[tuple[str, bool], ...] = (("dynamic_img_size", True),)
    try:
        trunk = create(name, keywords, device="meta")
    except TypeError:  # not a ViT whose position table timm can resize
        keywords = ()
        trunk = create(name, keywords, device="meta")
    reductions: list[int] = trunk.feature_info.reduction()
    plain = set(reductions) == {16}
    if not plain and not set(STRIDES) <= set(reductions):
        found = ", ".join(map(str, sorted(set(reductions))))
        raise SeemkitError(
            f"timm's {name} gives features at strides {found}; a backbone needs 4, 8, 16 and 32, "
            "or 16 alone for a plain ViT",
            path="model",
        )
    # of several maps at one stride the last has seen most
    last = {stride: k for k, stride in enumerate(reductions)}
    chosen = [last[stride] for stride in ((16,) * 4 if plain else STRIDES)]
    widths = trunk.feature_info.channels()
    a, b, c, d = (int(widths[k]) for k in chosen)
    config = timm.get_pretrained_cfg(name)
    fixed_size, shape = probe(trunk, name, config.input_size[1:])
    return FeaturePlan(
        indices=1 if plain else tuple(trunk.feature_info.out_indices[k] for k in chosen),
        channels=(a, b, c, d),
        plain=plain,
        channels_last=shape[1] != widths[-1],
        fixed_size=fixed_size,
        mean=scale(config.mean, timm.data.IMAGENET_DEFAULT_MEAN),
        std=scale(config.std, timm.data.IMAGENET_DEFAULT_STD),
        keywords=keywords,
    )


def create(
    name: str, keywords: tuple[tuple[str, bool], ...], *, device: str | None = None, **options: Any
) -> Any:
    """Build timm's feature extractor of a model, on torch's default device unless one is given."""
    try:
        with torch.device(device) if device else nullcontext():
            return timm.create_model(name, features_only=True, **dict(keywords), **options)
    except (RuntimeError, NotImplementedError, AttributeError) as fault:
        if device is None:
            raise
        sentence = f"timm's {name} gives no feature maps, so it cannot be a backbone"
        raise SeemkitError(sentence, path="model") from fault


def probe(trunk: nn.Module, name: str, own_size: tuple[int, int]) -> tuple[tuple[int, int] | None, list[int]]:
    """The fixed size of the model, if it has one, and the shape of its last map."""
    trunk.eval()  # batch norms of pooled maps refuse a single image in training
    for size in (PROBE, own_size):
        try:
            maps = trunk(torch.empty(1, 3, *size, device="meta"))
        except (AssertionError, RuntimeError, ValueError):
            continue
        return (None if size is PROBE else size), list(maps[-1].shape)
    raise SeemkitError(f"timm's {name} runs neither at {PROBE} nor at {own_size} pixels", path="model")


def scale(given: tuple[float, ...], default: tuple[float, ...]) -> tuple[float, float, float] | None:
    """From [0, 1] to [0, 255]; None if it is ImageNet's."""
    if tuple(given) == tuple(default):
        return None
    r, g, b = given
    return 255 * r, 255 * g, 255 * b


def unknown(name: str, known: list[str], what: str) -> SeemkitError:
    """One sentence, with the nearest name that there is."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return SeemkitError(f"{name!r} is {what}{hint}", suggestion=near[0] if near else None)

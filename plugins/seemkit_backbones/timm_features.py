"""How four maps are taken from a timm model: found by running it on the meta device, where nothing is allocated."""

import math
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import timm
import torch
from timm.models import FeatureHookNet
from torch import Tensor

from seemkit.api import SeemkitError
from seemkit_backbones.pyramid import STRIDES

__all__ = ["FeaturePlan", "create", "plan_features"]

Size = tuple[int, int]
Colour = tuple[float, float, float]
DIVISORS = (32, 64, 128)
"""What the sides of an input may have to be multiples of, beside the model's own size."""
LEAST = (1, 2, 3, 4, 6, 8)
"""How many times the divisor the sides may have to be at least."""
SLACK = 4
"""Cells that a map may have more or less than its stride says; it is resized then."""


@dataclass(frozen=True)
class FeaturePlan:
    """How to take maps from a timm model.

    A model's strides need not be powers of two: its input is then resized, so that its maps lie at some. Sizes
    below are of the input before that, unless they are called the model's own.

    Attributes:
        indices: of the model's feature maps, or how many from the end.
        sources: stride and channels of each of these maps; strides are 4, 8, 16 or 32.
        channels_last: True if maps come as (B, h, w, C).
        scale: the model's input over the input, as a fraction in lowest terms.
        divisor: the input is a multiple of this.
        least: the sides of the input are at least this.
        fixed_size: (H, W) of the input if the model takes one size only.
        own_size: (H, W) of the model's input in that case.
        mean: of RGB in [0, 255], that its weights expect; None for ImageNet's.
        std: likewise.
        keywords: of the model's constructor.
        closer: channels of what the model's own method `closer` gives; empty if it has none.
    """

    indices: tuple[int, ...] | int
    sources: tuple[tuple[int, int], ...]
    channels_last: bool
    scale: tuple[int, int]
    divisor: int
    least: int
    fixed_size: Size | None
    own_size: Size | None
    mean: Colour | None
    std: Colour | None
    keywords: tuple[tuple[str, Any], ...]
    closer: tuple[int, ...] = ()

    def strides(self) -> dict[int, int]:
        """Channels by stride."""
        return dict(self.sources)

    def model_size(self, size: Size) -> Size:
        """(H, W) of the model's input for an input of (H, W)."""
        if self.own_size is not None:
            return self.own_size
        up, down = self.scale
        return size[0] * up // down, size[1] * up // down


@dataclass(frozen=True)
class _Chosen:
    """Maps of a trunk: which, and their strides in its own pixels and in ours."""

    positions: tuple[int, ...]
    strides: tuple[int, ...]
    channels: tuple[int, ...]
    scale: tuple[int, int]


@lru_cache(maxsize=256)
def plan_features(name: str, image_size: int | None = None) -> FeaturePlan:
    """Build the model on the meta device, choose its maps, and find which inputs it takes by running it there.

    Args:
        name: of the model, as timm has it.
        image_size: side of the model's own input, for a model that is built for one size.

    Raises:
        SeemkitError: it gives no feature maps, or cannot be built for this size.
    """
    trunk, keywords = _create_for_any_size(name, image_size)
    trunk.eval()  # batch norms of pooled maps refuse a single image in training
    chosen = _choose(trunk, name)
    config = timm.get_pretrained_cfg(name)
    own = (image_size, image_size) if image_size else tuple(config.input_size[1:])
    divisor, least, fixed, channels_last = _find_sizes(trunk, name, chosen, own)
    if image_size is not None and fixed is None:
        raise SeemkitError(
            f"timm's {name} takes images of more than one size, so it needs no image_size; preprocess.short and "
            "preprocess.long set their size",
            path="image_size",
        )
    plain = len(chosen.strides) == 1
    outputs = trunk.feature_info.out_indices
    return FeaturePlan(
        indices=1
        if plain and chosen.positions[0] == len(outputs) - 1
        else tuple(outputs[k] for k in chosen.positions),
        sources=tuple(zip(chosen.strides, chosen.channels, strict=True)),
        channels_last=channels_last,
        scale=chosen.scale,
        divisor=divisor,
        least=least,
        fixed_size=fixed,
        own_size=own if fixed is not None else None,
        mean=_in_bytes(config.mean, timm.data.IMAGENET_DEFAULT_MEAN),
        std=_in_bytes(config.std, timm.data.IMAGENET_DEFAULT_STD),
        keywords=keywords,
        closer=tuple(getattr(trunk, "closer_channels", ())),
    )


def create(
    name: str, keywords: tuple[tuple[str, Any], ...], *, device: str | None = None, **options: Any
) -> Any:
    """Build timm's feature extractor of a model, by default on the device that torch is set to."""
    try:
        with torch.device(device) if device is not None else nullcontext():
            return timm.create_model(name, features_only=True, **dict(keywords), **options)
    except (RuntimeError, NotImplementedError, AttributeError, AssertionError) as fault:
        if device is None:
            raise
        sentence = f"timm's {name} gives no feature maps, so it cannot be a backbone"
        raise SeemkitError(sentence, path="model") from fault


def _create_for_any_size(name: str, image_size: int | None) -> tuple[Any, tuple[tuple[str, Any], ...]]:
    """The model on the meta device, with the keywords that let it take as many sizes as it can."""
    if image_size is not None:
        keywords: tuple[tuple[str, Any], ...] = (("img_size", image_size),)
        try:
            return _without_hooks(name, create(name, keywords, device="meta"), keywords)
        except (TypeError, ValueError, SeemkitError) as fault:
            raise SeemkitError(
                f"timm's {name} cannot be built for {image_size} x {image_size} pixels; leave image_size out for "
                "the size that it was made for",
                path="image_size",
            ) from fault
    keywords = (("dynamic_img_size", True),)
    try:
        trunk = create(name, keywords, device="meta")
    except TypeError:  # not a ViT whose position table timm can resize
        keywords = ()
        trunk = create(name, keywords, device="meta")
    return _without_hooks(name, trunk, keywords)


def _without_hooks(
    name: str, trunk: Any, keywords: tuple[tuple[str, Any], ...]
) -> tuple[Any, tuple[tuple[str, Any], ...]]:
    """The same model built to hand out its maps, if timm would keep them in it, where threads would mix them up."""
    if isinstance(trunk, FeatureHookNet):
        keywords += (("feature_cls", "getter"),)
        trunk = create(name, keywords, device="meta")
    return trunk, keywords


def _choose(trunk: Any, name: str) -> _Chosen:
    """Of several maps at one stride the last, which has seen most, for each stride that is wanted.

    The strides that count are those of the last map over and under by powers of two: 7, 14 and 28 count as 8, 16
    and 32 of an input resized by 7/8.
    """
    reductions = [int(r) for r in trunk.feature_info.reduction()]
    widths = [int(c) for c in trunk.feature_info.channels()]
    own = reductions[-1]
    cell = 2 ** round(math.log2(own))
    common = math.gcd(own, cell)
    up, down = own // common, cell // common
    last = {r * down // up: k for k, r in enumerate(reductions) if r * down % up == 0}
    strides = tuple(stride for stride in STRIDES if stride in last)
    if not strides:
        found = ", ".join(map(str, sorted(set(reductions))))
        raise SeemkitError(
            f"timm's {name} gives features at strides {found}; a backbone needs one at 4, 8, 16 or 32",
            path="model",
        )
    positions = tuple(last[stride] for stride in strides)
    return _Chosen(positions, strides, tuple(widths[k] for k in positions), (up, down))


def _find_sizes(trunk: Any, name: str, chosen: _Chosen, own: Size) -> tuple[int, int, Size | None, bool]:
    """The divisor and the least side of the input, its size if there is but one, and whether maps are channels last."""
    for divisor, size in _probes(own, chosen.scale):
        for channels_last in (False, True):
            if _takes(trunk, chosen, size, channels_last):
                sides = (count * divisor for count in LEAST)
                least = next((s for s in sides if _takes(trunk, chosen, (s, s), channels_last)), min(size))
                return divisor, least, None, channels_last
    try:
        maps = _shapes(trunk, own, chosen)
    except Exception as fault:
        raise SeemkitError(_why_not(name, own, fault), path="model") from fault
    for channels_last in (False, True):
        cells = [x[1:3] if channels_last else x[2:4] for x in maps]
        widths = [x[-1] if channels_last else x[1] for x in maps]
        if all(len(x) == 4 for x in maps) and widths == list(chosen.channels):
            height, width = (
                max(
                    -(-cell[axis] * stride // 32) * 32
                    for cell, stride in zip(cells, chosen.strides, strict=True)
                )
                for axis in (0, 1)
            )
            return 32, min(height, width), (height, width), channels_last
    raise SeemkitError(
        f"timm's {name} gives maps of {maps}, where it declares {list(chosen.channels)} channels",
        path="model",
    )


def _probes(own: Size, scale: tuple[int, int]) -> Iterator[tuple[int, Size]]:
    """Divisors and an input for each, not square and a multiple of nothing larger."""
    up, down = scale
    for divisor in DIVISORS:
        first = -(-288 // divisor)
        first += first % 2 == 0
        yield divisor, (first * divisor, (first + 2) * divisor)
    side = own[0] * down // up
    if own[0] == own[1] and own[0] * down % up == 0 and side % 32 == 0 and side not in DIVISORS:
        yield side, (2 * side, 3 * side)


def _takes(trunk: Any, chosen: _Chosen, size: Size, channels_last: bool) -> bool:
    """Whether an input of (H, W), resized, gives maps of the right shapes, or of few cells more or less."""
    up, down = chosen.scale
    maps = _run(trunk, (size[0] * up // down, size[1] * up // down), chosen)
    if maps is None or any(len(x) != 4 for x in maps):
        return False
    for (_, *shape), stride, width in zip(maps, chosen.strides, chosen.channels, strict=True):
        (h, w, c) = shape if channels_last else (shape[1], shape[2], shape[0])
        if c != width or abs(h - size[0] // stride) > SLACK or abs(w - size[1] // stride) > SLACK:
            return False
    return True


def _shapes(trunk: Any, size: Size, chosen: _Chosen) -> list[list[int]]:
    """Shapes of the chosen maps for an input of the model's own; whatever the model raises passes."""
    maps: list[Tensor] = trunk(torch.empty(1, 3, *size, device="meta"))
    return [list(maps[k].shape) for k in chosen.positions]


def _run(trunk: Any, size: Size, chosen: _Chosen) -> list[list[int]] | None:
    """The same, or None if the model does not take that size, whatever it says to it."""
    try:
        return _shapes(trunk, size, chosen)
    except Exception:
        return None


def _why_not(name: str, own: Size, fault: Exception) -> str:
    """Why nothing is known of a model, for which its own size is no size either."""
    said = " ".join(str(fault).split())
    if "meta tensor" in said:
        return f"timm's {name} looks at numbers to find its shapes, so its maps cannot be known before it runs ({said})"
    return (
        f"timm's {name} runs neither at sizes that are multiples of 32 nor at {own[0]} x {own[1]} "
        f"({type(fault).__name__}: {said[:200]})"
    )


def _in_bytes(given: tuple[float, ...], default: tuple[float, ...]) -> Colour | None:
    """From [0, 1] to [0, 255]; None if it is ImageNet's."""
    if tuple(given) == tuple(default):
        return None
    r, g, b = given
    return 255 * r, 255 * g, 255 * b

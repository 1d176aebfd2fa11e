"""Tries one model as a backbone under the fpn pixel decoder: on the meta device, and small ones with numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from seemkit.errors import SeemkitError
from seemkit.sweep.composed import (
    LARGEST,
    build,
    count_parameters,
    declare,
    exchange,
    refusal,
    tell_not_ran,
    watch,
)
from seemkit.sweep.trial import BackboneTrial
from seemkit_registry import RegistryError

if TYPE_CHECKING:
    from seemkit.components import BackboneShape
    from seemkit.network.network import Network

__all__ = ["input_sizes", "try_backbone"]

SMALL = (64, 96)
"""(H, W) that a model runs at with numbers, or the next larger that its divisor allows."""


def try_backbone(model: str, *, component: str = "timm", largest: int = LARGEST) -> Iterator[BackboneTrial]:
    """Compose a model and run it; each trial that is yielded says more than the one before.

    Declared channels and strides are held against the maps at two sizes, and the levels of the pixel decoder against
    the input.

    Args:
        model: its name.
        component: the backbone that wraps it.
        largest: models of more parameters run on the meta device only.
    """
    failed = partial(BackboneTrial, model=model, state="failed")
    yield from watch(partial(_steps, model, component, largest), lambda reason: failed(reason=reason))


def _steps(model: str, component: str, largest: int) -> Iterator[BackboneTrial]:
    try:
        assembly = exchange("backbone", component, model)
        shape: BackboneShape = declare(assembly, "backbone")
    except (SeemkitError, RegistryError) as error:
        yield BackboneTrial(model=model, state="refused", reason=refusal(error))
        return
    network = build(assembly, "meta")
    parameters = count_parameters(network.image_encoder)
    small, *others = input_sizes(shape)
    for size in (small, *others):
        _encode(network, size)
    composed = BackboneTrial(
        model=model,
        state="composes",
        parameters=parameters,
        channels=shape.channels,
        strides=shape.strides,
        divisor=shape.divisor,
        fixed_size=shape.fixed_size,
        adapters=shape.adapters,
    )
    if parameters > largest:
        yield composed.model_copy(update={"not_ran": tell_not_ran(parameters, largest)})
        return
    yield composed
    del network
    _encode(build(assembly, "cpu"), small)
    yield composed.model_copy(update={"ran": True})


def input_sizes(shape: BackboneShape) -> tuple[tuple[int, int], ...]:
    """(H, W) to try: one that is not square, and the smallest; or the only one."""
    if shape.fixed_size is not None:
        return (shape.fixed_size,)
    d = shape.divisor
    if d > max(SMALL):
        return ((d, d),)
    return (-(-SMALL[0] // d) * d, -(-SMALL[1] // d) * d), (d, d)


def _encode(network: Network, size: tuple[int, int]) -> None:
    """Run an image of noise, or of nothing on the meta device, through backbone and pixel decoder.

    Raises:
        SeemkitError: maps are not as declared or not finite; or levels are not at the strides that they should be.
    """
    import torch

    with torch.no_grad():
        features = network.encode(torch.randn(1, 3, *size, device=network.device))
    found = [tuple(x.shape) for x in (*features.levels, features.fine)]
    c = network.dims.channels
    expected = [(1, c, size[0] // stride, size[1] // stride) for stride in (32, 16, 8, 4)]
    if found != expected:
        raise SeemkitError(f"the pixel decoder gave maps {found} for an input of {size}, expected {expected}")
    if network.device.type != "meta" and not all(bool(x.isfinite().all()) for x in features.levels):
        raise SeemkitError("the pixel decoder gave numbers that are not finite")

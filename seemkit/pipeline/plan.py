"""What an assembly will be built of: shapes, parameters, memory, adapters and weights; nothing is loaded.

The whole network is built and run on torch's meta device, where tensors have shapes and no numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from seemkit.assembly.assembly import SLOTS
from seemkit.components import BackboneShape
from seemkit.errors import SeemkitError
from seemkit.host import registry as host_registry
from seemkit.imaging.preprocess import Preprocess
from seemkit.pipeline.build import build_network, check_shapes
from seemkit.pipeline.everything import decode_everything
from seemkit.pipeline.peak_memory import PeakMemory
from seemkit.pipeline.planned_weights import PlannedWeights, plan_weights
from seemkit_registry.fault import describe_exception

if TYPE_CHECKING:
    from seemkit.assembly import Assembly
    from seemkit.network.network import Network
    from seemkit_registry import Registry

__all__ = ["PHOTO", "Memory", "Part", "Plan", "Stage", "make_plan", "without_fetching"]

PHOTO = (480, 640)
"""(H, W) of the photo that shapes are given for."""
FETCHES = "pretrained"
"""The option that lets a component fetch weights; a plan switches it off."""


@dataclass(frozen=True)
class Part:
    """What fills a slot: the name as written, the component behind it, where it comes from, and its options."""

    slot: str
    use: str
    component: str
    distribution: str
    version: str
    options: Mapping[str, object]


@dataclass(frozen=True)
class Stage:
    """A tensor on the way from photo to masks, and its shape for one photo."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Memory:
    """Bytes in float32, for one photo.

    Attributes:
        weights: parameters and buffers.
        scene: what an encoded photo keeps.
        encoding: the most that encoding it takes on top of the weights.
        prepared: what the decoder keeps of a scene between rounds.
        round: the most that one pass of all object queries takes on top of these.
    """

    weights: int
    scene: int
    encoding: int
    prepared: int
    round: int


@dataclass(frozen=True)
class Plan:
    """What an assembly will be.

    Attributes:
        name: of the assembly.
        parts: one for each slot, and for each hook that the assembly asks for.
        photo: (H, W) that shapes and memory are for.
        stages: from the input on.
        parameters: count, by part of the network.
        adapters: what is put between components that do not fit by themselves, each in a sentence.
        memory: in bytes; None if the network could not be followed on the meta device.
        weights: the file that the assembly names, and what of the network it trains.
        notes: what else there is to know, each in a sentence.
    """

    name: str
    parts: tuple[Part, ...]
    photo: tuple[int, int]
    stages: tuple[Stage, ...]
    parameters: Mapping[str, int]
    adapters: tuple[str, ...]
    memory: Memory | None
    weights: PlannedWeights
    notes: tuple[str, ...] = field(default=())


def make_plan(assembly: Assembly, registry: Registry | None = None, photo: tuple[int, int] = PHOTO) -> Plan:
    """Plan an assembly for a photo of (H, W) pixels; nothing is allocated, loaded or fetched.

    Raises:
        SeemkitError: components do not fit each other, in one sentence.
    """
    registry = registry or host_registry()
    notes: list[str] = []
    quiet = without_fetching(assembly, notes)
    shape, _ = check_shapes(quiet, registry)
    with torch.device("meta"), torch.no_grad():
        network, preprocess, _ = build_network(quiet, registry)
    network.eval().to("meta")
    grid = preprocess.grid_for(photo)
    size = preprocess.padded(grid.size)
    stages = [Stage("photo", (3, *photo)), Stage("input", (3, *size))]
    memory = None
    try:
        memory, seen = _follow(network, size, photo)
        stages += seen
    except SeemkitError:
        raise
    except Exception as error:  # an operation without a form for the meta device
        stages += _declared(shape, size)
        notes.append(
            f"its shapes could only be followed in part ({describe_exception(error)[0]}); those of the backbone "
            "are as it declares them"
        )
    return Plan(
        name=assembly.name,
        parts=tuple(_parts(assembly, registry)),
        photo=photo,
        stages=tuple(stages),
        parameters=dict(_parameters(network)),
        adapters=tuple(_adapters(assembly, shape, preprocess, network)),
        memory=memory,
        weights=plan_weights(assembly, network),
        notes=tuple(notes),
    )


def without_fetching(assembly: Assembly, notes: list[str]) -> Assembly:
    """The same assembly with nothing to fetch; what that changes is added to `notes`."""
    changed: dict[str, Any] = {}
    for slot in SLOTS:
        choice = getattr(assembly, slot)
        field_ = type(choice.settings).model_fields.get(FETCHES)
        given = getattr(choice.settings, FETCHES, None)
        if field_ is None or not given:
            continue
        off = None if isinstance(given, str) else False
        changed[slot] = choice.model_copy(
            update={"settings": choice.settings.model_copy(update={FETCHES: off})}
        )
        notes.append(f"{slot}.{FETCHES} is {given!r}: those weights are fetched when the model is loaded")
    return assembly.model_copy(update=changed) if changed else assembly


def _parts(assembly: Assembly, registry: Registry) -> Iterator[Part]:
    for slot, kind in SLOTS.items():
        choice = getattr(assembly, slot)
        component = registry.resolve(kind, choice.component)
        options = choice.settings.model_dump(mode="json")
        yield Part(slot, choice.use, choice.component, component.distribution, component.version, options)
    for choice in assembly.hooks:
        component = registry.resolve("hooks", choice.component)
        options = choice.settings.model_dump(mode="json")
        yield Part("hook", choice.use, choice.component, component.distribution, component.version, options)


def _follow(network: Network, size: tuple[int, int], photo: tuple[int, int]) -> tuple[Memory, list[Stage]]:
    """Run an empty image through the network, on the meta device."""
    stages: list[Stage] = []
    maps: list[Any] = []
    watch = network.image_encoder.register_forward_hook(lambda module, given, out: maps.extend(out))
    try:
        with torch.device("meta"), torch.no_grad():
            with PeakMemory() as encoding:
                features = network.encode(torch.empty(1, 3, *size))
                stages += [Stage(f"backbone map {k}", tuple(x.shape[1:])) for k, x in enumerate(maps)]
                maps.clear()
            scene = encoding.live
            stages += [Stage(f"level {k}", tuple(x.shape[1:])) for k, x in enumerate(features.levels)]
            stages.append(Stage("finest map", tuple(features.fine.shape[1:])))
            if features.meaning is not None:
                stages.append(Stage("map for names", tuple(features.meaning.shape[1:])))
            with PeakMemory() as preparing:
                prepared = network.decoder.prepare(
                    features.levels, network.mask_features(features.fine), features.meaning
                )
                if network.nearness:
                    assert features.meaning is not None
                    sides = (network.nearness * side for side in size)
                    nearer = network.look_closer(torch.empty(1, 3, *sides), features.meaning)
                    prepared = replace(prepared, nearer=nearer)
            with PeakMemory() as decoding:
                rows = decode_everything(network, prepared, torch.empty(2, network.dims.text))
            stages.append(Stage("mask logits", tuple(rows.logits.shape)))
            stages.append(Stage("joint space", (network.dims.text,)))
    finally:
        watch.remove()
    weights = sum(x.numel() * x.element_size() for x in (*network.parameters(), *network.buffers()))
    pixels = photo[0] * photo[1] * 3 + 3 * network.nearness**2 * size[0] * size[1]
    return Memory(weights, scene + pixels, encoding.peak, preparing.live, decoding.peak), stages


def _declared(shape: BackboneShape, size: tuple[int, int]) -> list[Stage]:
    pairs = zip(shape.channels, shape.strides, strict=True)
    return [Stage(f"backbone map {k}", (c, size[0] // s, size[1] // s)) for k, (c, s) in enumerate(pairs)]


def _parameters(network: Network) -> Iterator[tuple[str, int]]:
    """Parameters by part; the learned parts of prompts one by one."""
    for name, module in network.named_children():
        if name != "prompts":
            yield name, sum(p.numel() for p in module.parameters())
            continue
        for inner, part in module.named_children():
            yield f"prompts.{inner}", sum(p.numel() for p in part.parameters())


def _adapters(
    assembly: Assembly, shape: BackboneShape, preprocess: Preprocess, network: Network
) -> Iterator[str]:
    """What stands between the components, and why."""
    c, d = network.dims.channels, network.dims.text
    yield from shape.adapters
    widths = ", ".join(map(str, shape.channels))
    yield (
        f"laterals: the maps of the backbone have {widths} channels and the decoder works with {c}, so each goes "
        "through a convolution of its own"
    )
    if d != c:
        yield f"text projection: texts are {d} wide and the decoder's rows {c}, so a linear layer takes {d} to {c}"
    if preprocess.fixed is None:
        yield f"padding: the input is padded right and bottom to a multiple of {preprocess.divisor}"
        return
    h, w = preprocess.fixed
    takes = f"the backbone {assembly.backbone.use!r} takes no other size"
    why = takes if shape.fixed_size is not None else "preprocess.fixed asks for it"
    yield f"padding: every photo is resized to fit into {h} x {w} (height x width) and padded to it, for {why}"

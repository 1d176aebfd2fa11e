"""Encoding a photo, stage by stage: what seemkit computes against the plain modules of the published network."""

from collections.abc import Iterator

import torch
from torch import Tensor

from seemkit.benchmark.reference_features import plain_merge, reference_features, reference_pixels
from seemkit.benchmark.report import Case, Figure
from seemkit.benchmark.stages import stage_seconds
from seemkit.benchmark.subject import Path, Subject
from seemkit.components import PixelFeatures
from seemkit.network.network import Network
from seemkit.network.pixel_decoder import FPNPixelDecoder

__all__ = ["measure_encoding"]

SHARE = 1 / 1.25
"""The whole encode is to take at most so much of the plain network's time, from this size of the input on."""
LARGE = 1024


def measure_encoding(subject: Subject) -> Iterator[Case]:
    """The whole encode, then its stages one by one."""
    network, image = subject.network, subject.image
    whole = subject.case(
        "encode",
        "whole network",
        "Pixels on the input grid to all that a first click needs of the photo, without the mask decoder.",
        {
            "seemkit": Path(lambda: _encode(network, image), "no more of the mask features than clicks want"),
            "plain": Path(lambda: reference_features(network, image), "all mask features, as published"),
        },
        repeats=3,
    )
    target = SHARE if min(subject.size) >= LARGE else None
    yield whole.model_copy(update={"ratios": [whole.compare("seemkit", "plain", target)]})
    maps = _maps(network, image)
    yield _backbone(subject)
    pixels = subject.case(
        "encode",
        "pixel decoder",
        "Four maps to levels and mask features.",
        {
            "seemkit": Path(lambda: _decode(network, maps), "mask features at the sizes of the levels"),
            "plain": Path(lambda: reference_pixels(network, maps), "mask features at stride 4"),
        },
        repeats=3,
    )
    yield pixels.model_copy(update={"ratios": [pixels.compare("seemkit", "plain")]})
    decoder = network.pixel_decoder
    if isinstance(decoder, FPNPixelDecoder):
        yield subject.case(
            "encode",
            "transformer",
            "The coarsest map through the transformer of the pixel decoder; there is one form of it.",
            {"transformer": Path(lambda: decoder.encode(decoder.in_proj(maps[3])))},
            repeats=3,
        )
        above = _levels(decoder, maps)
        for k in (2, 1, 0):
            yield _merge(subject, decoder, k, maps[k], above[2 - k])
    yield _features(subject, maps)
    seen = _pixels(network, maps).meaning
    if network.nearness and seen is not None:
        photo = torch.nn.functional.interpolate(image, scale_factor=float(network.nearness))
        yield subject.case(
            "encode",
            "closer look",
            "The photo once more, for names: what the first question in words or by given names pays for.",
            {"closer look": Path(lambda: network.look_closer(photo, seen))},
            repeats=3,
        )


def _backbone(subject: Subject) -> Case:
    network, image = subject.network, subject.image
    case = subject.case(
        "encode",
        "backbone",
        "Pixels to four maps; there is one form of it. Below, how much of its time each part takes.",
        {"backbone": Path(lambda: network.image_encoder(image))},
        repeats=3,
    )
    with torch.no_grad():
        parts = stage_seconds(
            network.image_encoder, lambda: network.image_encoder(image), repeats=2, device=subject.device
        )
    total = sum(parts.values())
    figures = [Figure(name=name, value=100 * seconds / total, unit="%") for name, seconds in parts.items()]
    return case.model_copy(update={"figures": figures})


def _merge(subject: Subject, decoder: FPNPixelDecoder, k: int, feature: Tensor, above: Tensor) -> Case:
    case = subject.case(
        "encode",
        f"step of the pyramid at stride {4 << k}",
        f"A lateral at stride {4 << k} plus the coarser level, convolved and normalised.",
        {
            "seemkit": Path(lambda: decoder.merge(k, feature, above), "folded where that pays"),
            "plain": Path(lambda: plain_merge(decoder, k, feature, above), "enlarged, added, convolved"),
        },
        repeats=3,
    )
    return case.model_copy(update={"ratios": [case.compare("seemkit", "plain")]})


def _features(subject: Subject, maps: tuple[Tensor, ...]) -> Case:
    network = subject.network
    given = _pixels(network, maps)
    sizes = [(int(x.shape[-2]), int(x.shape[-1])) for x in given.levels]

    def small() -> list[Tensor]:
        return network.mask_features(given.fine).resized(sizes)

    case = subject.case(
        "encode",
        "mask features",
        "The map at stride 4 to what attention masks need of its mask features.",
        {
            "seemkit": Path(small, "at the three level sizes, by a convolution of means"),
            "plain": Path(lambda: network.mask_features(given.fine).whole, "all of them, not yet resized"),
        },
        repeats=3,
    )
    return case.model_copy(update={"ratios": [case.compare("seemkit", "plain")]})


def _encode(network: Network, image: Tensor) -> list[Tensor]:
    return _decode(network, network.image_encoder(image))


def _decode(network: Network, maps: tuple[Tensor, ...]) -> list[Tensor]:
    given = network.pixel_decoder(maps)
    sizes = [(int(x.shape[-2]), int(x.shape[-1])) for x in given.levels]
    return [*given.levels, *network.mask_features(given.fine).resized(sizes)]


@torch.no_grad()
def _maps(network: Network, image: Tensor) -> tuple[Tensor, ...]:
    return tuple(network.image_encoder(image))


@torch.no_grad()
def _pixels(network: Network, maps: tuple[Tensor, ...]) -> PixelFeatures:
    found: PixelFeatures = network.pixel_decoder(maps)
    return found


@torch.no_grad()
def _levels(decoder: FPNPixelDecoder, maps: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
    return decoder.levels(maps)

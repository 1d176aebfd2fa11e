"""Encoding a photo, stage by stage: what seemkit computes against the plain modules of the published network."""

from collections.abc import Iterator

from torch import Tensor

from seemkit.benchmark.reference_features import plain_merge, reference_features, reference_pixels
from seemkit.benchmark.report import Case
from seemkit.benchmark.subject import Path, Subject
from seemkit.network.network import Network
from seemkit.network.pixel_decoder import FPNPixelDecoder

__all__ = ["measure_encoding"]

SHARE = 1 / 1.25
"""The whole encode is to take at most so much of the plain network's time, from this size of the input on."""
LARGE = 1024


def measure_encoding(subject: Subject) -> Iterator[Case]:
    """The whole encode, its stages, and the two convolutions at stride 4."""
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
    maps = network.image_encoder(image)
    yield subject.case(
        "encode",
        "backbone",
        "Pixels to four maps; there is one form of it.",
        {"backbone": Path(lambda: network.image_encoder(image))},
        repeats=3,
    )
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
    if isinstance(network.pixel_decoder, FPNPixelDecoder):
        yield _merge(subject, network.pixel_decoder, maps)
    yield _features(subject, maps)


def _merge(subject: Subject, decoder: FPNPixelDecoder, maps: tuple[Tensor, ...]) -> Case:
    above = decoder(maps).levels[2]
    case = subject.case(
        "encode",
        "finest step of the pyramid",
        "A lateral at stride 4 plus the level at stride 8, convolved and normalised.",
        {
            "seemkit": Path(lambda: decoder.merge(0, maps[0], above), "folded where that pays"),
            "plain": Path(lambda: plain_merge(decoder, 0, maps[0], above), "enlarged, added, convolved"),
        },
        repeats=3,
    )
    return case.model_copy(update={"ratios": [case.compare("seemkit", "plain")]})


def _features(subject: Subject, maps: tuple[Tensor, ...]) -> Case:
    network = subject.network
    given = network.pixel_decoder(maps)
    sizes = [(int(x.shape[-2]), int(x.shape[-1])) for x in given.levels]

    def small() -> list[Tensor]:
        features = network.mask_features(given.fine)
        return [features.resized(size) for size in sizes]

    case = subject.case(
        "encode",
        "mask features",
        "The map at stride 4 to what attention masks need of its mask features.",
        {
            "seemkit": Path(small, "at the three level sizes, each by one convolution"),
            "plain": Path(lambda: network.mask_features(given.fine).whole, "all of them, not yet resized"),
        },
        repeats=3,
    )
    return case.model_copy(update={"ratios": [case.compare("seemkit", "plain")]})


def _encode(network: Network, image: Tensor) -> list[Tensor]:
    return _decode(network, network.image_encoder(image))


def _decode(network: Network, maps: tuple[Tensor, ...]) -> list[Tensor]:
    given = network.pixel_decoder(maps)
    features = network.mask_features(given.fine)
    return [*given.levels, *(features.resized((int(x.shape[-2]), int(x.shape[-1]))) for x in given.levels)]

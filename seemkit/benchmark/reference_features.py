"""The reference path of an image: what the original computes when it sees one, step by step, all mask features."""

from collections.abc import Sequence
from typing import cast

from torch import Tensor
from torch.nn import functional

from seemkit.network.network import Network
from seemkit.network.pixel_decoder import FPNPixelDecoder, NormedConv

__all__ = ["plain_merge", "reference_features", "reference_pixels"]


def reference_features(network: Network, image: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
    """Levels and mask features of images, from the pixels on.

    Args:
        network: the weights.
        image: (B, 3, H, W) normalised and padded.

    Returns:
        three maps (B, C, h, w) at strides 32, 16 and 8; mask features (B, C, H / 4, W / 4).
    """
    return reference_pixels(network, network.image_encoder(image))


def reference_pixels(network: Network, features: Sequence[Tensor]) -> tuple[tuple[Tensor, ...], Tensor]:
    """The same from the backbone's maps (B, C_i, H / s_i, W / s_i) on.

    The feature pyramid is computed as it is written: laterals, enlarged maps, their sum, a convolution. Other
    pixel decoders have one form only.
    """
    decoder = network.pixel_decoder
    if isinstance(decoder, FPNPixelDecoder):
        coarse = functional.relu(decoder.output[3](decoder.encode(decoder.in_proj(features[3]))))
        middle = plain_merge(decoder, 2, features[2], coarse)
        finest = plain_merge(decoder, 1, features[1], middle)
        fine = plain_merge(decoder, 0, features[0], finest)
        levels: tuple[Tensor, ...] = (coarse, middle, finest)
    else:
        given = decoder(features)
        levels, fine = given.levels, given.fine
    return levels, network.mask_features(fine).whole


def plain_merge(decoder: FPNPixelDecoder, k: int, feature: Tensor, above: Tensor) -> Tensor:
    """Step k of the pyramid: lateral of `feature`, plus `above` by nearest neighbour, convolved."""
    side = cast(NormedConv, decoder.lateral[k])(feature)
    up = functional.interpolate(above, size=side.shape[-2:], mode="nearest")
    return functional.relu(decoder.output[k](side + up))

"""A closer look at views, for names: what the image encoder makes of the photos that they hold for it."""

from collections.abc import Sequence
from typing import cast

from torch import Tensor

from seemkit.imaging.preprocess import Preprocess
from seemkit.network.network import LooksCloser, Network
from seemkit.training.batch import normalise
from seemkit.training.view import View

__all__ = ["look_closer"]


def look_closer(network: Network, preprocess: Preprocess, views: Sequence[View]) -> list[Tensor]:
    """The maps (B, C_i, h_i, w_i) of a closer look at B views; none where the network takes none."""
    if not network.nearness:
        return []
    photos = normalise(views, preprocess, network.device, network.nearness)
    return list(cast(LooksCloser, network.image_encoder).closer(photos))

"""From images of one padded size to scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from seemkit.pipeline.fingerprint import hash_pixels
from seemkit.scene import Scene

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from seemkit.imaging.preprocess import Preprocess
    from seemkit.network.network import Network
    from seemkit.runtime.runtime import Runtime

__all__ = ["Waiting", "encode_batch"]


@dataclass(frozen=True, eq=False)
class Waiting:
    """An image that is to be encoded.

    Attributes:
        place: among those that were given.
        pixels: (H, W, 3) uint8 of the original.
        tensor: (3, H_pad, W_pad) normalised and padded.
    """

    place: int
    pixels: NDArray[np.uint8]
    tensor: Tensor


@torch.no_grad()
def encode_batch(
    network: Network, preprocess: Preprocess, runtime: Runtime, batch: Sequence[Waiting], encoder: str
) -> list[Scene]:
    """Encode images of one padded size at once.

    Args:
        network: the weights.
        preprocess: what was made of the images with.
        runtime: how the network is run.
        batch: the images.
        encoder: hash of the encoder's weights and the preprocessing.
    """
    features = runtime.encode(network, torch.stack([each.tensor for each in batch]))
    nearness = network.nearness
    scenes = []
    for row, each in enumerate(batch):
        first, second, third = (_own(level, row) for level in features.levels)
        scene = Scene(
            levels=(first, second, third),
            fine=_own(features.fine, row),
            grid=preprocess.grid_for((each.pixels.shape[0], each.pixels.shape[1])),
            padded=(int(each.tensor.shape[1]), int(each.tensor.shape[2])),
            encoder=encoder,
            pixels=hash_pixels(each.pixels),
            image=each.pixels,
            precision=runtime.precision,
            meaning=None if features.meaning is None else _own(features.meaning, row),
            photo=torch.from_numpy(preprocess.resize(each.pixels, nearness)).movedim(-1, 0)
            if nearness
            else None,
        )
        scenes.append(scene)
    return scenes


def _own(maps: Tensor, row: int) -> Tensor:
    """One row of a batch (B, ...) in a storage of its own and the same memory format."""
    return maps[row] if len(maps) == 1 else maps[row].clone()

"""The statistics by which a network that has none yet brings the encoder's channels to one scale."""

from typing import cast

import torch
from torch import Tensor

from seemkit.imaging.preprocess import Preprocess
from seemkit.network.meaning import Meaning, Standard
from seemkit.network.network import Network
from seemkit.training.batch import normalise
from seemkit.training.feed import Feed

__all__ = ["standardise"]

PICTURES = 48
"""The first pictures of a run; they are the same in every process."""
AT_ONCE = 8


@torch.no_grad()
def standardise(network: Network, preprocess: Preprocess, feed: Feed) -> bool:
    """Give a new map for names the statistics of the run's first pictures; whether there was one."""
    meaning = getattr(network.pixel_decoder, "meaning", None)
    if not isinstance(meaning, Meaning):
        return False
    standards = [cast(Standard, each) for each in meaning.standard]
    if not all(each.is_blank for each in standards):
        return False
    views = [view for number in range(PICTURES) if (batch := feed[number].batch) for view in batch.views]
    cells: list[list[Tensor]] = [[] for _ in standards]
    for start in range(0, len(views), AT_ONCE):
        some = views[start : start + AT_ONCE]
        maps = network.image_encoder(normalise(some, preprocess, network.device))
        for kept, found in zip(cells, maps[2:], strict=True):
            stride = some[0].image.shape[0] // found.shape[-1]
            for view, x in zip(some, found, strict=True):
                height, width = (max(side // stride, 1) for side in view.valid)
                kept.append(x[:, :height, :width].flatten(1).T)
    for standard, kept in zip(standards, cells, strict=True):
        standard.take(torch.cat(kept))
    return True

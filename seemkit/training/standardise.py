"""The statistics by which a network that has none yet brings the encoder's channels to one scale."""

from typing import cast

import torch
from torch import Tensor

from seemkit.imaging.preprocess import Preprocess
from seemkit.network.meaning import Closer, Meaning, Standard
from seemkit.network.network import Network
from seemkit.training.batch import normalise
from seemkit.training.closer import look_closer
from seemkit.training.feed import Feed

__all__ = ["standardise"]

PICTURES = 48
"""The first pictures of a run; they are the same in every process."""
AT_ONCE = 8


@torch.no_grad()
def standardise(network: Network, preprocess: Preprocess, feed: Feed) -> bool:
    """Give what is new of a map for names the statistics of the run's first pictures; whether there was anything."""
    meaning = getattr(network.pixel_decoder, "meaning", None)
    if not isinstance(meaning, Meaning):
        return False
    standards = [*meaning.standard, *(cast(Closer, look).standard for look in meaning.closer)]
    new = [k for k, each in enumerate(standards) if cast(Standard, each).is_blank]
    if not new:
        return False
    views = [view for number in range(PICTURES) if (batch := feed[number].batch) for view in batch.views]
    if not views:
        return False  # the run ends at its first step, and says why
    cells: dict[int, list[Tensor]] = {k: [] for k in new}
    for start in range(0, len(views), AT_ONCE):
        some = views[start : start + AT_ONCE]
        images = normalise(some, preprocess, network.device)
        maps = [*network.image_encoder(images)[2:], *look_closer(network, preprocess, some)]
        for k, kept in cells.items():
            across = maps[k].shape[-1] / some[0].image.shape[0]
            for view, x in zip(some, maps[k], strict=True):
                height, width = (max(int(side * across), 1) for side in view.valid)
                kept.append(x[:, :height, :width].flatten(1).T)
    for k, kept in cells.items():
        cast(Standard, standards[k]).take(torch.cat(kept))
    return True

"""What is seen under the masks of candidates: the mean of a map, weighted by each mask.

A row of the decoder knows what it is by attention alone, which few photos teach badly; what lies under its mask says it
directly (as in mask pooling: Ghiasi et al., OpenSeg, ECCV 2022, section 3.2).
"""

import torch
from torch import Tensor

from seemkit.network.mask_features import dot
from seemkit.network.precision import at_least_single
from seemkit.network.prepared import PreparedScene
from seemkit.network.resampling import resize_features

__all__ = ["masks_at", "seen_under"]

LEVEL = 1
"""At stride 16: coarse enough to know names, fine enough for a small object."""


def masks_at(level: int, scene: PreparedScene, mask_embeddings: Tensor, bias: Tensor | None = None) -> Tensor:
    """(N, Q, h, w) mask logits of candidates (N, Q, C) at a level's size, with what each object has on top."""
    logits = dot(at_least_single(scene.small[level]), at_least_single(mask_embeddings))
    if bias is None:
        return logits
    return logits + resize_features(bias[:, None], (logits.shape[-2], logits.shape[-1]))


def seen_under(
    scene: PreparedScene, mask_embeddings: Tensor, bias: Tensor | None = None, named: Tensor | bool = False
) -> Tensor:
    """(N, Q, M) weighted means of the map that names are read from, or else of the level at stride 16.

    Args:
        scene: B scenes, N = B * n.
        mask_embeddings: (N, Q, C) of the candidates.
        bias: (N, h, w) logits at stride 4 that every mask of an object has on top; None for none.
        named: (N,) bool, or of all, of which objects what is seen by a closer look counts, if somebody looked.
    """
    weight = masks_at(LEVEL, scene, mask_embeddings, bias).sigmoid().flatten(2)
    read = scene.levels[LEVEL] if scene.meaning is None else scene.meaning
    share = weight / weight.sum(-1, keepdim=True).clamp_min(1e-6)

    def under(read: Tensor) -> Tensor:
        return share @ scene.spread(at_least_single(read), len(share)).flatten(2).mT

    if named is False or scene.nearer is None:
        return under(read)
    if named is True:
        return under(scene.nearer)
    assert isinstance(named, Tensor)
    return torch.where(named[:, None, None], under(scene.nearer), under(read))

"""From a concept back to rows and anchors of the decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from seemkit.errors import ConceptError
from seemkit.network.transfer import send
from seemkit.prompting.rows import Anchor, Encoded, Group

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from seemkit.concept_file import ConceptFile, ConceptRegion, TokenRows
    from seemkit.prompting.context import Dims

__all__ = ["concept_rows"]


def concept_rows(concept: ConceptFile, include: bool, *, weights: str, dims: Dims, like: Tensor) -> Encoded:
    """The groups and anchors that references to the regions of a concept would have.

    Args:
        concept: what was kept.
        include: False for what is not like it: what it is like excludes then, and what it is not is left out.
        weights: hash of those of the model, which have to be the concept's.
        dims: widths of the model.
        like: a tensor that gives dtype and device.

    Raises:
        ConceptError: other weights made it, or it is of another width.
    """
    if concept.weights is not None and concept.weights != weights:
        made = f" of the assembly {concept.assembly!r}" if concept.assembly else ""
        raise ConceptError(
            f"the concept {concept.name!r} was made by other weights{made} than this model's, to which it means "
            "nothing; save it again with this model: seemkit concept save",
            path="file",
        )
    levels = {len(region.content) for region in concept.regions if region.include}
    if concept.channels != dims.channels or levels != {dims.levels}:
        raise ConceptError(
            f"the concept {concept.name!r} is {concept.channels} wide at {max(levels)} levels, expected "
            f"{dims.channels} at {dims.levels}",
            path="file",
        )
    anchors = tuple(
        Anchor("mask", _tensor(region.anchor, like), "reference", include=region.include and include)
        for region in concept.regions
        if region.include or include
    )
    groups = tuple(_group(region, like) for region in concept.regions if region.include and include)
    return Encoded(groups, anchors)


def _group(region: ConceptRegion, like: Tensor) -> Group:
    """A row for each point that the tokens stand for, as the sampler gives them."""
    content = [_spread(rows, n, like) for rows, n in zip(region.content, region.counts, strict=True)]
    position = content
    if region.offset:
        offsets = (_spread(rows, n, like) for rows, n in zip(region.offset, region.counts, strict=True))
        position = [x + offset for x, offset in zip(content, offsets, strict=True)]
    return Group("reference", tuple(content), tuple(position), persist=False)


def _spread(rows: TokenRows, counts: NDArray[np.int32], like: Tensor) -> Tensor:
    which = torch.from_numpy(np.repeat(np.arange(len(counts)), counts))
    return _tensor(rows.dense(), like)[send(which, like.device)]


def _tensor(values: NDArray[np.float32], like: Tensor) -> Tensor:
    """Values on the device, without waiting for them."""
    return send(torch.from_numpy(values.copy()).to(like.dtype), like.device)

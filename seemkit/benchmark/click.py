"""The network's part of a click on one object of one scene: the fast path, without prompts, files or pictures."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.network.rows import RowBatch
from seemkit.network.sampler import PointBatch, RegionTokens

__all__ = ["Clicked", "click", "conditioned_queries", "make_points"]


@dataclass(frozen=True, eq=False)
class Clicked:
    """What a click gives.

    Attributes:
        embeddings: (Q, C) mask embeddings of the candidates.
        chosen: () index of the candidate that answers.
        logits: (h, w) of its mask at stride 4.
    """

    embeddings: Tensor
    chosen: Tensor
    logits: Tensor


def click(
    network: Network, scene: PreparedScene, points: PointBatch, previous: Tensor | None = None
) -> Clicked:
    """Answer points of one object, as the pipeline does for an object with a region.

    Args:
        network: the weights.
        scene: what `MaskDecoder.prepare` made.
        points: of one object.
        previous: (h, w) logits of the round before; None in a first round.
    """
    region = network.prompts.region(scene, points)
    rows = [
        RowBatch("query", *conditioned_queries(network, region)),
        RowBatch("region", region.content, region.position, region.padding),
    ]
    if previous is not None:
        content, position = network.prompts.memory()
        rows.append(RowBatch("memory", content[None], position[None], attends=previous[None]))
    bias = network.mask_term(scene, points, None if previous is None else previous[None], None)
    decoded = network.decoder(scene, rows, network.heads, bias=bias)
    embeddings = decoded.mask_embeddings[0]
    chosen = (embeddings @ region.anchor[0]).argmax()
    logits = decoded.masks(scene, embeddings.index_select(0, chosen[None])[None])[0, 0]
    return Clicked(embeddings, chosen, logits)


def conditioned_queries(network: Network, region: RegionTokens) -> tuple[Tensor, Tensor]:
    """Content and position (1, Q, C) of the candidates, started from the region where the preset says so."""
    decoder = network.decoder
    content, position = (x[None] for x in decoder.object_queries(decoder.options.candidates))
    if not decoder.preset.conditioned:
        return content, position
    here = torch.ones(1, dtype=torch.bool, device=content.device)
    nowhere = (content.new_zeros(1, network.dims.text), ~here)
    centre = None if region.centre is None else (region.centre, here)
    conditioned: tuple[Tensor, Tensor] = network.prompts.conditioning(
        content, position, (region.anchor, here), centre, nowhere
    )
    return conditioned


def make_points(count: int, size: tuple[int, int], like: Tensor) -> PointBatch:
    """`count` points of one object, normalised; evenly spread over an input of (H, W), every third negative."""
    place = (torch.arange(count, dtype=like.dtype, device=like.device) + 0.5) / count
    xy = torch.stack((place, (place * 7.3) % 1), dim=-1)[None]
    snapped = (xy * xy.new_tensor([size[1], size[0]])).floor() / xy.new_tensor([size[1], size[0]])
    negative = torch.arange(count, device=like.device)[None] % 3 == 2
    plain = torch.zeros_like(negative)
    return PointBatch(snapped, negative, plain, plain)

"""The reference path of a click: what the original computes in a round, in the order in which it does.

From levels and mask features that are computed already. Every round adds level embeddings, projects whole levels
before it samples a few points of them, and projects keys and values again in every layer; all prediction heads
give masks of all rows at stride 4 and class scores; region tokens act as readers whose results are thrown away;
the object queries run along unasked. Source: behaviour of the v1.0 code, with the wiring of v0 for one object.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from seemkit.benchmark.click import Clicked, conditioned_queries
from seemkit.network.attention import Attention
from seemkit.network.layer import DecoderLayer
from seemkit.network.mask_features import MaskFeatures
from seemkit.network.network import Network
from seemkit.network.position import encode_points, sine_position
from seemkit.network.prepared import PreparedScene
from seemkit.network.presets import Preset
from seemkit.network.resampling import bilinear, resize_features
from seemkit.network.sampler import PointBatch, RegionTokens

__all__ = ["reference_click"]


def reference_click(
    network: Network,
    levels: Sequence[Tensor],
    features: Tensor,
    points: PointBatch,
    previous: Tensor | None = None,
    vocabulary: Tensor | None = None,
) -> Clicked:
    """Answer points of one object.

    Args:
        network: the weights.
        levels: three maps (1, C, h, w) at strides 32, 16 and 8.
        features: mask features (1, C, h, w) at stride 4.
        points: of one object.
        previous: (h, w) logits of the round before; None in a first round.
        vocabulary: (K, D) normalised names that every head scores its rows by; None leaves that out.
    """
    decoder = network.decoder
    if decoder.preset.mask_position:
        c, h, w = features.shape[1:]
        features = features + decoder.mask_position(
            sine_position(c, h, w, features).permute(1, 2, 0)
        ).permute(2, 0, 1)
    placed = [x + embed[:, None, None] for x, embed in zip(levels, decoder.level_embed, strict=True)]
    region = _project_then_sample(network, placed, features, points)
    small = tuple(resize_features(features, (x.shape[-2], x.shape[-1])) for x in placed)
    scene = PreparedScene(tuple(placed), MaskFeatures(features), small, (), ())
    bias = network.mask_term(scene, points, None if previous is None else previous[None], None)
    rows = _Rows.of(network, region, previous)
    x, position = rows.content, rows.position
    maps = [y.flatten(2).transpose(1, 2) for y in placed]  # 1 x hw x C
    places = [sine_position(y.shape[1], y.shape[2], y.shape[3], y).flatten(1).T for y in placed]  # hw x C
    masks = _predict(network, x[:, : rows.crossing], features, bias, vocabulary)
    for i, layer in enumerate(decoder.layers):
        assert isinstance(layer, DecoderLayer)
        level = i % len(placed)
        size = (placed[level].shape[-2], placed[level].shape[-1])
        forbidden = _forbidden(masks, size, rows.memories, previous)
        heads = layer.cross_attn.heads
        seen = _attend(
            layer.cross_attn,
            x[:, : rows.crossing] + position[:, : rows.crossing],
            maps[level] + places[level],
            maps[level],
            forbidden[:, None].repeat(1, heads, 1, 1),
        )
        x = torch.cat((layer.cross_norm(x[:, : rows.crossing] + seen), region.content[level]), dim=1)
        position = torch.cat((rows.position[:, : rows.crossing], region.position[level]), dim=1)
        told = _attend(
            layer.self_attn, x + position, x + position, x, rows.forbidden[:, None].repeat(1, heads, 1, 1)
        )
        x = layer.think(layer.self_norm(x + told))
        masks = _predict(network, x[:, : rows.crossing], features, bias, vocabulary)
    embeddings = network.heads.mask_embedding(network.heads.norm(x[0, rows.candidates]))
    chosen = (embeddings @ region.anchor[0]).argmax()
    return Clicked(embeddings, chosen, masks[0, rows.candidates].index_select(0, chosen[None])[0])


@dataclass(frozen=True, eq=False)
class _Rows:
    """Object queries, their copies for the object, memory, then region tokens; the first three read the image.

    Attributes:
        content: (1, R, C).
        position: (1, R, C).
        forbidden: (1, R, R) bool, True where a row may not read another.
        candidates: which rows answer the object.
        memories: how many rows there are of the memory.
        crossing: how many rows read the image.
    """

    content: Tensor
    position: Tensor
    forbidden: Tensor
    candidates: slice
    memories: int
    crossing: int

    @staticmethod
    def of(network: Network, region: RegionTokens, previous: Tensor | None) -> "_Rows":
        content, position = network.decoder.object_queries()
        groups = [("object", content[None], position[None]), ("query", *conditioned_queries(network, region))]
        if previous is not None:
            content, position = network.prompts.memory()
            groups.append(("memory", content[None], position[None]))
        groups.append(("region", region.content[0], region.position[0]))
        lengths = [content.shape[1] for _, content, _ in groups]
        forbidden = _rules(network.decoder.preset, [name for name, _, _ in groups], lengths)
        padding = region.padding
        assert isinstance(padding, Tensor)
        tokens = slice(sum(lengths[:-1]), None)
        lone = ~torch.eye(
            padding.shape[1], dtype=torch.bool, device=padding.device
        )  # a padded row reads itself
        forbidden = forbidden.to(padding.device)[None].repeat(len(padding), 1, 1)
        forbidden[:, :, tokens] |= padding[:, None, :]
        forbidden[:, tokens, tokens] &= lone
        return _Rows(
            torch.cat([content for _, content, _ in groups], dim=1),
            torch.cat([position for _, _, position in groups], dim=1),
            forbidden,
            slice(lengths[0], lengths[0] + lengths[1]),
            lengths[2] if previous is not None else 0,
            sum(lengths[:-1]),
        )


def _rules(preset: Preset, names: Sequence[str], lengths: Sequence[int]) -> Tensor:
    """(R, R) bool, True where the row may not read the column; the object queries read only themselves."""

    def reads(reader: str, source: str) -> bool:
        if "object" in (reader, source):
            return reader == source
        return preset.reads(reader, source)

    lines = [
        torch.cat(
            [torch.full((n, m), not reads(reader, source)) for source, m in zip(names, lengths, strict=True)],
            dim=1,
        )
        for reader, n in zip(names, lengths, strict=True)
    ]
    return torch.cat(lines)


def _project_then_sample(
    network: Network, placed: Sequence[Tensor], features: Tensor, points: PointBatch
) -> RegionTokens:
    """Tokens and anchor: every cell of a level is projected, then a few points of it are taken."""
    sampler, preset = network.prompts.region, network.decoder.preset
    content, position = [], []
    for level, weight in zip(placed, sampler.level_proj, strict=True):
        projected = (level.flatten(2).transpose(1, 2) @ weight).transpose(1, 2).view_as(level)
        token = bilinear(projected, points.xy) + sampler.sign_embed[points.negative.long()]
        if preset.region_kinds:
            token = token + sampler.kind_embed[points.extent.long()]
        content.append(token)
        where = encode_points(token.shape[-1], points.xy) if preset.region_position else 0
        position.append(token + where)
    positive = ~(points.padding | points.negative)
    weights = positive.to(features.dtype)
    weights = weights / weights.sum(1, keepdim=True).clamp(min=1)
    anchor = (bilinear(features, points.xy) * weights[..., None]).sum(1)
    centre = None
    if preset.region_position:
        centre = (encode_points(anchor.shape[-1], points.xy) * weights[..., None]).sum(1)
    return RegionTokens(tuple(content), tuple(position), points.padding, anchor, positive.any(1), centre)


def _predict(
    network: Network, x: Tensor, features: Tensor, bias: Tensor | None, vocabulary: Tensor | None
) -> Tensor:
    """One prediction head: mask logits (1, R, h, w) of all rows (1, R, C) at stride 4, and class scores."""
    state = network.heads.norm(x)
    if vocabulary is not None:
        network.class_logits(
            network.heads.class_embedding(state), vocabulary
        )  # as the original, at every head
    masks = torch.einsum("brc,bchw->brhw", network.heads.mask_embedding(state), features)
    return masks if bias is None else masks + bias[:, None]


def _forbidden(masks: Tensor, size: tuple[int, int], memories: int, previous: Tensor | None) -> Tensor:
    """(1, R, hw) bool: where a row may not look, from mask logits (1, R, h, w); memory looks where it was."""
    if previous is not None:
        queries = masks.shape[1] - memories
        masks = torch.cat((masks[:, :queries], previous[None, None].expand(-1, memories, -1, -1)), dim=1)
    forbidden = resize_features(masks, size).sigmoid().flatten(2) < 0.5
    return forbidden & ~forbidden.all(-1, keepdim=True)


def _attend(attention: Attention, query: Tensor, key: Tensor, value: Tensor, forbidden: Tensor) -> Tensor:
    """Attention with its weights written out; a row that may read nothing gets zeros.

    Args:
        attention: the parameters.
        query: (1, T, C).
        key: (1, S, C), projected here.
        value: (1, S, C), projected here.
        forbidden: (1, heads, T, S) bool.
    """
    (n, t, c), heads = query.shape, attention.heads
    q, k, v = (
        functional.linear(x, weight, bias).view(n, -1, heads, c // heads).transpose(1, 2)
        for x, weight, bias in zip(
            (query, key, value),
            attention.in_proj_weight.chunk(3),
            attention.in_proj_bias.chunk(3),
            strict=True,
        )
    )
    scores = (q @ k.transpose(-2, -1)) * (c // heads) ** -0.5
    weights = scores.masked_fill(forbidden, float("-inf")).softmax(-1).nan_to_num(0.0)
    out: Tensor = attention.out_proj((weights @ v).transpose(1, 2).reshape(n, t, c))
    return out

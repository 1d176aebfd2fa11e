"""Prompts of a scene become objects: canonical, checked, encoded to rows and anchors side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from seemkit.errors import PromptError
from seemkit.geometry.points import PointSet, sample_regions
from seemkit.geometry.region import Region
from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.network.rows import RowBatch, stack_rows
from seemkit.network.sampler import RegionTokens, stack_points
from seemkit.pipeline.context import Context
from seemkit.prompting.prompt import Prompt, SpatialPrompt, TokenPrompt
from seemkit.prompting.rows import Anchor, Group
from seemkit.scene import Scene

__all__ = ["Composed", "ObjectPrompts", "compose", "gather", "similarity"]


@dataclass(frozen=True)
class ObjectPrompts:
    """All prompts of one object, canonical: duplicates dropped, sorted by content.

    Attributes:
        name: of the object.
        spatial: prompts that select pixels.
        token: prompts that bring rows of their own.
    """

    name: str
    spatial: tuple[SpatialPrompt, ...]
    token: tuple[TokenPrompt, ...]


@dataclass
class Composed:
    """N objects as rows and anchors.

    Attributes:
        rows: groups of rows, the candidates first.
        anchors: for each object what chooses its answer.
    """

    rows: list[RowBatch]
    anchors: list[list[Anchor]] = field(default_factory=list)


def gather(prompts: Sequence[Prompt], size: tuple[int, int]) -> list[ObjectPrompts]:
    """Group prompts by object in order of first mention, after checking each against an image of (H, W).

    Raises:
        PromptError: there is none, one does not fit the image, or an object has nothing to include.
    """
    if not prompts:
        raise PromptError("no prompt was given; give at least one, such as Point(x=120, y=80)")
    objects: dict[str, dict[str, Prompt]] = {}
    for index, prompt in enumerate(prompts):
        if not isinstance(prompt, SpatialPrompt | TokenPrompt):
            raise PromptError(
                f"prompts[{index}] is a {type(prompt).__name__}, not a prompt such as Point(x=120, y=80)",
                path=f"prompts[{index}]",
            )
        try:
            prompt.check(size)
        except PromptError as error:
            message = f"prompts[{index}] ({prompt.type_name()} of object {prompt.object!r}): {error}"
            raise PromptError(message, path=f"prompts[{index}]", suggestion=error.suggestion) from error
        objects.setdefault(prompt.object, {})[prompt.content_key()] = prompt
    gathered = []
    for name, by_key in objects.items():
        ordered = [by_key[key] for key in sorted(by_key)]
        if not any(p.include for p in ordered):
            raise PromptError(
                f"object {name!r} has only prompts that exclude; give it one that includes, such as a point",
                path=f"objects[{name}]",
            )
        gathered.append(
            ObjectPrompts(
                name,
                tuple(p for p in ordered if isinstance(p, SpatialPrompt)),
                tuple(p for p in ordered if isinstance(p, TokenPrompt)),
            )
        )
    return gathered


def compose(
    network: Network,
    scene: Scene,
    prepared: PreparedScene,
    objects: Sequence[ObjectPrompts],
    context: Context,
    memory: Mapping[str, Tensor],
) -> Composed:
    """Rows and anchors of N objects on one scene; `memory` holds logits of an earlier round by object."""
    n = len(objects)
    region = _sample(network, scene, prepared, objects)
    anchors: list[list[Anchor]] = [[] for _ in objects]
    rows: list[RowBatch] = []
    if region is not None:
        rows.append(RowBatch("region", region.content, region.position, region.padding))
        for i in range(n):
            if region.evidence[i]:
                anchors[i].append(Anchor("mask", region.anchor[i], "region"))
    groups: list[list[Group]] = [[] for _ in objects]
    for i, item in enumerate(objects):
        for prompt in item.token:
            encoded = prompt.encode(context.of(prompt))
            groups[i].extend(encoded.groups)
            anchors[i].extend(encoded.answers)
        if item.name in memory:
            groups[i].extend(context.memory(memory[item.name]).groups)
    anchors = [_settle(each, item) for each, item in zip(anchors, objects, strict=True)]
    rows.extend(_stack(groups, network.decoder.level_embed))
    rows.insert(0, _queries(network, region, anchors, n))
    return Composed(rows, anchors)


def _settle(anchors: Sequence[Anchor], item: ObjectPrompts) -> list[Anchor]:
    """Drop anchors that abstain, and fallbacks where another includes."""
    given = [a for a in anchors if a.vector is not None]
    firm = [a for a in given if not a.fallback]
    settled = firm if any(a.include for a in firm) else given
    if not any(a.include for a in settled):
        raise PromptError(
            f"object {item.name!r} selects nothing that could be answered: what it includes is empty or lies "
            "within what it excludes",
            path=f"objects[{item.name}]",
        )
    return settled


def _sample(
    network: Network, scene: Scene, prepared: PreparedScene, objects: Sequence[ObjectPrompts]
) -> RegionTokens | None:
    if not any(item.spatial for item in objects):
        return None
    sets: list[PointSet | None] = []
    for item in objects:
        regions = []
        for prompt in item.spatial:
            found = prompt.region(scene.grid)
            if found.mask.shape != scene.grid.size:
                raise PromptError(
                    f"the {prompt.type_name()} prompt of object {item.name!r} gave a region of shape "
                    f"{found.mask.shape} for a grid of {scene.grid.size}"
                )
            if not found.mask.any():
                raise PromptError(
                    f"the {prompt.type_name()} prompt of object {item.name!r} selects no pixel of the image"
                )
            regions.append(Region(found.mask, include=prompt.include, kind=found.kind))
        sets.append(sample_regions(regions) if regions else None)
    tokens: RegionTokens = network.prompts.region(
        prepared, stack_points(sets, scene.padded, prepared.mask_features)
    )
    return tokens


def _queries(
    network: Network, region: RegionTokens | None, anchors: Sequence[Sequence[Anchor]], n: int
) -> RowBatch:
    """The candidate rows: copies of the object queries, conditioned where the preset says so."""
    decoder = network.decoder
    content, position = (x.expand(n, -1, -1) for x in decoder.object_queries(decoder.options.candidates))
    if decoder.preset.conditioned:
        visual = _mean_anchors(anchors, "mask", content)
        phrase = _mean_anchors(anchors, "class", content, network.dims.text)
        centre = (region.centre, region.evidence) if region is not None and region.centre is not None else None
        content, position = network.prompts.conditioning(content, position, visual, centre, phrase)
    return RowBatch("query", content, position)


def _mean_anchors(
    anchors: Sequence[Sequence[Anchor]], space: str, like: Tensor, width: int | None = None
) -> tuple[Tensor, Tensor]:
    """The first include anchor of a space for each object; a region speaks before a reference."""
    out = like.new_zeros(len(anchors), width or like.shape[-1])
    present = torch.zeros(len(anchors), dtype=torch.bool, device=like.device)
    for i, each in enumerate(anchors):
        found = [a.vector for a in each if a.space == space and a.include and a.vector is not None]
        if found:
            out[i], present[i] = found[0], True
    return out, present


def _stack(groups: Sequence[Sequence[Group]], like: Tensor) -> list[RowBatch]:
    """Groups of the same role side by side; an object's groups of one role are joined."""
    batches = []
    shapes = {}
    for each in groups:
        for group in each:
            key = (group.role, group.persist, group.attends is not None)
            shapes.setdefault(key, group)
    for (role, persist, limited), first in shapes.items():
        kind = (role, persist, limited)
        own = [[g for g in each if (g.role, g.persist, g.attends is not None) == kind] for each in groups]
        attends = None
        if limited:
            assert first.attends is not None
            blank = torch.zeros_like(first.attends)
            attends = torch.stack([_limit(each, blank) for each in own])
        if isinstance(first.content, tuple):
            levels = [_pad([_joined(each, level) for each in own], like) for level in range(len(first.content))]
            batches.append(
                RowBatch(role, tuple(c for c, _, _ in levels), tuple(p for _, p, _ in levels), levels[0][2], attends)
            )
        else:
            content, position, padding = _pad([_joined(each, None) for each in own], like)
            batches.append(RowBatch(role, content, position, padding if padding.any() else None, attends))
    return batches


def _limit(groups: Sequence[Group], blank: Tensor) -> Tensor:
    """Where an object's limited rows may look: the union of what its groups allow."""
    found = [g.attends for g in groups if g.attends is not None]
    return torch.stack(found).amax(0) if found else blank


def _joined(groups: Sequence[Group], level: int | None) -> tuple[Tensor, Tensor] | None:
    if not groups:
        return None
    contents, positions = [], []
    for group in groups:
        content = group.content[level] if level is not None else group.content
        position = group.position[level] if level is not None and group.position is not None else group.position
        assert isinstance(content, Tensor)
        keep = slice(None) if group.padding is None else ~group.padding
        contents.append(content[keep])
        positions.append(content[keep] if position is None else position[keep])  # type: ignore[index]
    return torch.cat(contents), torch.cat(positions)


def _pad(pieces: Sequence[tuple[Tensor, Tensor] | None], like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    content, padding = stack_rows([p[0] if p else None for p in pieces], like)
    position, _ = stack_rows([p[1] if p else None for p in pieces], like)
    return content, position, padding


def similarity(network: Network, anchor: Anchor, mask_embeddings: Tensor, class_embeddings: Tensor) -> Tensor:
    """(Q,) logits of candidates (Q, C) and (Q, D) by one anchor, with the preset's temperature for its space."""
    assert anchor.vector is not None
    if anchor.space == "mask":
        return mask_embeddings @ anchor.vector
    towards = nn.functional.normalize(anchor.vector, dim=0)
    unit = nn.functional.normalize(class_embeddings, dim=-1)
    return network.class_scale(network.decoder.preset.class_scale_limit) * (unit @ towards)

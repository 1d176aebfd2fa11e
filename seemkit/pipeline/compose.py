"""Prompts of a scene become objects: canonical, checked, encoded to rows and anchors side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from seemkit.errors import PromptError, SeemkitError
from seemkit.geometry.region import Region, first_pixel
from seemkit.network.legacy import Draws
from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.network.rows import RowBatch
from seemkit.network.sampler import PointBatch, RegionTokens
from seemkit.pipeline.context import Context
from seemkit.pipeline.encoded import check_encoded
from seemkit.pipeline.legacy import draw_memory, draw_queries
from seemkit.pipeline.stack import stack_groups
from seemkit.prompting.prompt import Prompt, SpatialPrompt, TokenPrompt
from seemkit.prompting.rows import Anchor, Group, Role
from seemkit.scene import Scene

__all__ = ["CLICKS", "Composed", "ObjectPrompts", "check_prompt", "compose", "gather", "similarity"]

CLICKS = 3
"""Words that are all that is asked of an object click so often, each time elsewhere, and the best answer is given."""


@dataclass(frozen=True)
class ObjectPrompts:
    """All prompts of one object, canonical: duplicates dropped, sorted by content.

    Attributes:
        name: of the object.
        spatial: prompts that select pixels.
        places: where each of them stands in the request, such as ``prompts[2]``.
        token: prompts that bring rows of their own.
        token_places: where each of them stands.
    """

    name: str
    spatial: tuple[SpatialPrompt, ...]
    places: tuple[str, ...]
    token: tuple[TokenPrompt, ...]
    token_places: tuple[str, ...]


@dataclass
class Composed:
    """Objects as rows and anchors; one whose words click comes N times, once for each click.

    Attributes:
        rows: groups of rows, the candidates first.
        anchors: for each object what chooses its answer.
        bias: (N, h, w) logits on top of every mask, where the preset has such a term.
        said: the first text (N, D) that each object includes, and which have one (N,); None for no object.
        owners: which of the objects each of the N is.
    """

    rows: list[RowBatch]
    anchors: list[list[Anchor]] = field(default_factory=list)
    bias: Tensor | None = None
    said: tuple[Tensor, Tensor] | None = None
    owners: tuple[int, ...] = ()


def gather(prompts: Sequence[Prompt], size: tuple[int, int]) -> list[ObjectPrompts]:
    """Group prompts by object in order of first mention, after checking each against an image of (H, W).

    Raises:
        PromptError: there is none, one does not fit the image, or an object has nothing to include.
    """
    if not prompts:
        raise PromptError("no prompt was given; give at least one, such as Point(x=120, y=80)")
    objects: dict[str, dict[str, tuple[str, Prompt]]] = {}
    for index, prompt in enumerate(prompts):
        check_prompt(prompt, size, f"prompts[{index}]")
        objects.setdefault(prompt.object, {}).setdefault(prompt.content_key(), (f"prompts[{index}]", prompt))
    gathered = []
    for name, by_key in objects.items():
        ordered = [by_key[key] for key in sorted(by_key)]
        if not any(p.include for _, p in ordered):
            raise PromptError(
                f"object {name!r} has only prompts that exclude; give it one that includes, such as a point",
                path=f"objects[{name}]",
            )
        gathered.append(
            ObjectPrompts(
                name,
                tuple(p for _, p in ordered if isinstance(p, SpatialPrompt)),
                tuple(place for place, p in ordered if isinstance(p, SpatialPrompt)),
                tuple(p for _, p in ordered if isinstance(p, TokenPrompt)),
                tuple(place for place, p in ordered if isinstance(p, TokenPrompt)),
            )
        )
    return gathered


def check_prompt(prompt: object, size: tuple[int, int], place: str) -> None:
    """Raise :class:`PromptError` unless it is a prompt that fits an image of (H, W).

    Args:
        prompt: what was given.
        size: of the image.
        place: where it stands in the request, such as ``prompts[2]``.
    """
    if not isinstance(prompt, SpatialPrompt | TokenPrompt):
        raise PromptError(
            f"{place} is a {type(prompt).__name__}, not a prompt such as Point(x=120, y=80)", path=place
        )
    try:
        prompt.check(size)
    except PromptError as error:
        message = f"{place} ({prompt.type_name()} of object {prompt.object!r}): {error}"
        path = f"{place}.{error.path}" if error.path else place
        raise PromptError(message, path=path, suggestion=error.suggestion) from error


def compose(
    network: Network,
    scene: Scene,
    prepared: PreparedScene,
    objects: Sequence[ObjectPrompts],
    context: Context,
    memory: Mapping[str, Tensor],
) -> Composed:
    """Rows and anchors of N objects on one scene.

    `memory` holds logits of an earlier round by object; an object whose prompts bring a memory does without.
    """
    groups, said_anchors = _encode_tokens(network, prepared, objects, context, memory)
    owners, clicks = _clicks(network, objects, said_anchors)
    n, objects = len(owners), [objects[i] for i in owners]
    groups, said_anchors = [groups[i] for i in owners], [said_anchors[i] for i in owners]
    clicking = [click is not None for click in clicks]
    points = context.sample(scene, _regions(scene, objects, clicking))
    if any(clicking):
        points = [_click(points[0], clicks, said_anchors, scene, network, context)]
    known = points[-1].known
    region = network.prompts.region(prepared, points) if points[-1].xy.shape[1] else None
    anchors: list[list[Anchor]] = [[] for _ in objects]
    rows: list[RowBatch] = []
    if region is not None:
        rows.append(RowBatch("region", region.content, region.position, region.padding))
        for i in range(n):
            if known is not None and known.positive[i]:
                role: Role = "phrase" if clicking[i] else "region"
                anchors[i].append(Anchor("mask", region.anchor[i], role))
            elif (
                context.draws is not None
                and network.decoder.options.legacy.shared_points
                and any(prompt.include for prompt in objects[i].spatial)
            ):
                # the draw left the object without a point, which the original answers by this
                anchors[i].append(Anchor("mask", torch.full_like(region.anchor[i], -1), "region"))
    for own, more in zip(anchors, said_anchors, strict=True):
        own.extend(more)
    anchors = [_settle(each, item) for each, item in zip(anchors, objects, strict=True)]
    joint = context.draws is not None and region is None and n > 1 and _only_phrases(groups)
    if joint:  # one object that all phrases are of; each then chooses among its candidates
        groups, n = [[group for each in groups for group in each]], 1
    rows.extend(stack_groups(groups, network.decoder.level_embed))
    said = _said(network, anchors)
    rows.insert(0, _queries(network, region, anchors, said, n, context))
    if context.draws is not None and network.decoder.options.legacy.drawn_memory:
        rows = [_own_by_draw(batch, n, network, context.draws) for batch in rows]
    previous = next((batch.attends for batch in rows if batch.attends is not None), None)
    if said is None:
        return Composed(rows, anchors, network.mask_term(prepared, points[-1], previous, None), owners=owners)
    undrawn = torch.tensor([not item.spatial for item in objects])
    # what is drawn tells better where to look
    pointing = (said[0], said[1] & context.runtime.send(undrawn, said[1].device))
    term = network.mask_term(context.look_closer(), points[-1], previous, pointing)
    return Composed(rows, anchors, term, said, owners)


def _encode_tokens(
    network: Network,
    prepared: PreparedScene,
    objects: Sequence[ObjectPrompts],
    context: Context,
    memory: Mapping[str, Tensor],
) -> tuple[list[list[Group]], list[list[Anchor]]]:
    """Rows and anchors of the prompts that bring their own, and rows of memory, object by object."""
    groups: list[list[Group]] = [[] for _ in objects]
    anchors: list[list[Anchor]] = [[] for _ in objects]
    for i, item in enumerate(objects):
        for prompt, place in zip(item.token, item.token_places, strict=True):
            try:
                encoded = check_encoded(prompt.encode(context.of(prompt)), prompt, network, prepared)
            except SeemkitError as error:
                path = f"{place}.{error.path}" if error.path else place
                message = f"{place} ({prompt.type_name()} of object {item.name!r}): {error}"
                raise PromptError(message, path=path, suggestion=error.suggestion) from error
            groups[i].extend(encoded.groups)
            anchors[i].extend(encoded.answers)
        if item.name in memory and not any(g.role == "memory" for g in groups[i]):
            groups[i].append(context.memory_rows(memory[item.name]))
    return groups, anchors


def _words_alone(item: ObjectPrompts, anchors: Sequence[Anchor]) -> bool:
    """Whether words are all that is asked of an object: nothing is drawn, and nothing is shown in another image."""
    included = [a for a in anchors if a.include and a.vector is not None and not a.fallback]
    return not item.spatial and bool(included) and all(a.space == "class" for a in included)


def _clicks(
    network: Network, objects: Sequence[ObjectPrompts], anchors: Sequence[Sequence[Anchor]]
) -> tuple[tuple[int, ...], list[int | None]]:
    """Objects by number, those whose words click as often as they do; and which click each is, None for no click."""
    owners: list[int] = []
    clicks: list[int | None] = []
    for i, (item, own) in enumerate(zip(objects, anchors, strict=True)):
        turns = [*range(CLICKS)] if network.words_click and _words_alone(item, own) else [None]
        owners += [i] * len(turns)
        clicks += turns
    return tuple(owners), clicks


def _click(
    points: PointBatch,
    clicks: Sequence[int | None],
    anchors: Sequence[Sequence[Anchor]],
    scene: Scene,
    network: Network,
    context: Context,
) -> PointBatch:
    """The points, those of objects that words alone ask for moved to one of the places where they are seen most."""
    said = _said(network, anchors)
    assert said is not None
    device = said[0].device
    sizes = context.runtime.send(torch.tensor([scene.grid.size] * len(anchors), dtype=torch.float32), device)
    places = network.words_peaks(context.look_closer(), said[0], sizes, CLICKS)
    turn = context.runtime.send(torch.tensor([click or 0 for click in clicks]), device)
    clicking = context.runtime.send(torch.tensor([click is not None for click in clicks]), device)
    return points.moved(clicking, places.gather(1, turn[:, None, None].expand(-1, 1, 2))[:, 0])


def _said(network: Network, anchors: Sequence[Sequence[Anchor]]) -> tuple[Tensor, Tensor] | None:
    """The first text (N, D) that each object includes, and which have one; None if none has."""
    if not any(a.space == "class" and a.include for each in anchors for a in each):
        return None
    return _first_anchors(anchors, "class", network.decoder.level_embed, network.dims.text)


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


def _regions(scene: Scene, objects: Sequence[ObjectPrompts], clicking: Sequence[bool]) -> list[list[Region]]:
    """What the spatial prompts of each object select; one without any has none, or, if words click, the first pixel."""
    found_regions: list[list[Region]] = []
    for item, clicks in zip(objects, clicking, strict=True):
        regions = [first_pixel(scene.grid.size)] if clicks else []
        for prompt, place in zip(item.spatial, item.places, strict=True):
            found = prompt.region(scene.grid)
            if not isinstance(found, Region):
                raise PromptError(
                    f"{place} ({prompt.type_name()} of object {item.name!r}) gave {type(found).__name__} where a "
                    "Region was expected: its plugin is at fault",
                    path=place,
                )
            if found.mask.shape != scene.grid.size:
                raise PromptError(
                    f"{place} ({prompt.type_name()} of object {item.name!r}) gave a region of shape "
                    f"{found.mask.shape}, expected {scene.grid.size}, that of the input grid",
                    path=place,
                )
            if not found.mask.any():
                raise PromptError(
                    f"{place} ({prompt.type_name()} of object {item.name!r}) selects no pixel of the image, "
                    "expected one at least",
                    path=place,
                )
            if found.include is not prompt.include:
                found = Region(found.mask, include=prompt.include, kind=found.kind)
            regions.append(found)
        found_regions.append(regions)
    return found_regions


def _only_phrases(groups: Sequence[Sequence[Group]]) -> bool:
    return all(group.role == "phrase" for each in groups for group in each)


def _own_by_draw(batch: RowBatch, n: int, network: Network, draws: Draws) -> RowBatch:
    """Memory rows that N objects share by draw; other rows as they are."""
    if batch.role != "memory" or batch.attends is None:
        return batch
    owners = draw_memory(network.decoder.options.layers, batch.length, n, draws)
    return replace(batch, padding=None, owners=owners.to(batch.attends.device))


def _queries(
    network: Network,
    region: RegionTokens | None,
    anchors: Sequence[Sequence[Anchor]],
    said: tuple[Tensor, Tensor] | None,
    n: int,
    context: Context,
) -> RowBatch:
    """The candidate rows: copies of the object queries, conditioned where the preset says so."""
    decoder = network.decoder
    sampled = decoder.preset.query_policy == "sampled" and region is not None
    if sampled and context.draws is not None and decoder.options.legacy.queries:
        content, position = draw_queries(*decoder.object_queries(), n, decoder.options.legacy, context.draws)
        return RowBatch("query", content, position)
    content, position = (x.expand(n, -1, -1) for x in decoder.object_queries(decoder.options.candidates))
    if decoder.preset.conditioned:
        visual = _first_anchors(anchors, "mask", content)
        centre = (
            (region.centre, region.evidence) if region is not None and region.centre is not None else None
        )
        content, position = network.prompts.conditioning(content, position, visual, centre, said)
    return RowBatch("query", content, position)


def _first_anchors(
    anchors: Sequence[Sequence[Anchor]], space: str, like: Tensor, width: int | None = None
) -> tuple[Tensor, Tensor]:
    """The first include anchor (N, C) of a space for each object, a region's before a reference's."""
    out = like.new_zeros(len(anchors), width or like.shape[-1])
    present = torch.zeros(len(anchors), dtype=torch.bool, device=like.device)
    for i, each in enumerate(anchors):
        found = [a.vector for a in each if a.space == space and a.include and a.vector is not None]
        if found:
            out[i], present[i] = found[0], True
    return out, present


def similarity(network: Network, anchor: Anchor, mask_embeddings: Tensor, class_embeddings: Tensor) -> Tensor:
    """(Q,) logits of candidates (Q, C) and (Q, D) by an anchor, with the preset's temperature."""
    assert anchor.vector is not None
    if anchor.space == "mask":
        return mask_embeddings @ anchor.vector
    towards = nn.functional.normalize(anchor.vector, dim=0)
    unit = nn.functional.normalize(class_embeddings, dim=-1)
    return network.class_scale(network.decoder.preset.class_scale_limit) * (unit @ towards)

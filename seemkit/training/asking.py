"""The prompted pass: cells become rows and anchors, are decoded as the pipeline decodes them, and answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from seemkit.components import PixelFeatures
from seemkit.errors import SeemkitError
from seemkit.geometry.grid import Grid
from seemkit.geometry.points import PointSet, sample_regions
from seemkit.geometry.region import Region, first_pixel
from seemkit.network.decoder import Decoded
from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.network.rows import RowBatch
from seemkit.network.sampler import PointBatch, RegionTokens, stack_points
from seemkit.pipeline.context import Context
from seemkit.pipeline.encoded import check_encoded
from seemkit.pipeline.stack import stack_groups
from seemkit.prompting.prompt import Prompt
from seemkit.prompting.rows import Anchor, Group, Phrase
from seemkit.scene import Scene
from seemkit.training.anchors import AnchorBatch, stack_anchors
from seemkit.training.cell import Cell
from seemkit.training.recipe.sections import ObjectiveSection
from seemkit.training.scenes import pick_scenes

__all__ = ["Asked", "Asking", "check_policy"]


@dataclass(frozen=True, eq=False)
class Asked:
    """What the decoder made of N cells in E entries; with shared queries E is the number of views, else N.

    Attributes:
        decoded: states and mask embeddings of the candidates of each entry.
        anchors: of the N cells.
        named: (E,) bool, which entries are asked for in words; False for none.
        padding: (E, Q) bool, True where an entry has no candidate; None if all have as many.
    """

    decoded: Decoded
    anchors: list[AnchorBatch]
    named: Tensor | bool = False
    padding: Tensor | None = None


def check_policy(network: Network, options: ObjectiveSection) -> None:
    """Raise :class:`SeemkitError` where the query policy does not go with the decoder."""
    preset = network.decoder.preset
    if options.queries.policy == "shared" and (preset.guided or preset.conditioned):
        raise SeemkitError(
            f"objective.queries.policy is 'shared', but the preset {network.decoder.options.preset!r} starts queries "
            "from the object they answer; take 'per_owner' or 'sampled', or a published preset",
            path="objective.queries.policy",
        )


class Asking:
    """Asks for the cells of a batch, again and again as their prompts grow.

    Args:
        network: the weights.
        prepared: what the decoder made of B scenes.
        features: the same scenes, for prompts that want a scene.
        cells: N = B * n, scene by scene; view 2 k + 1 is the partner of view 2 k where cells refer to one.
        size: S, side of the canvas.
        options: how to ask.
        texts: encodes texts.
        part_of: the learned part of a prompt type, if it has one.
    """

    def __init__(
        self,
        network: Network,
        prepared: PreparedScene,
        features: PixelFeatures,
        cells: Sequence[Cell],
        size: int,
        options: ObjectiveSection,
        texts: Callable[[Sequence[str]], list[Phrase]],
        part_of: Callable[[type[Prompt]], nn.Module | None],
    ) -> None:
        self.network = network
        self.prepared = prepared
        self.features = features
        self.cells = list(cells)
        self.size = size
        self.options = options
        self.texts = texts
        self.part_of = part_of
        self.each = len(self.cells) // prepared.batch if options.queries.policy == "shared" else 1
        """M, cells of an entry."""

    def __call__(self, previous: Tensor | None, *, every_head: bool = False) -> Asked:
        """Decode; `previous` (N, h, w) are the logits of the round before, which are its memory."""
        network, n = self.network, len(self.cells)
        groups, more = self._encode_prompts()
        told = stack_anchors(more, network)
        points = self._click(told, more)
        region = network.prompts.region(self.prepared, points)
        rows = [RowBatch("region", region.content, region.position, region.padding)]
        anchors = [AnchorBatch("mask", region.anchor, region.evidence)]
        reference = self._reference()
        if reference is not None:
            rows.append(RowBatch("reference", reference.content, reference.position, reference.padding))
            anchors.append(AnchorBatch("mask", reference.anchor, reference.evidence))
        rows += stack_groups(groups, network.decoder.level_embed)
        anchors += told
        memory = previous if self.options.memory else None
        if memory is not None:
            content, position = (x.expand(n, -1, -1) for x in network.prompts.memory())
            rows.append(RowBatch("memory", content, position, attends=memory))
        if self.each > 1:
            rows = [joined for batch in rows for joined in _join(batch, self.each)]
        queries = self._queries(region, anchors)
        rows.insert(0, queries)
        said = _first(anchors, "class") if self.each == 1 else None
        pointing = said
        if said is not None:  # what is drawn tells better where to look
            undrawn = torch.tensor([not cell.regions for cell in self.cells], device=said[1].device)
            pointing = (said[0], said[1] & undrawn)
        bias = network.mask_term(self.prepared, points, memory, pointing)
        decoded = network.decoder(self.prepared, rows, network.heads, bias=bias, every_head=every_head)
        assert not isinstance(queries.padding, tuple)
        return Asked(decoded, anchors, False if said is None else said[1], queries.padding)

    def _click(self, told: Sequence[AnchorBatch], more: Sequence[Sequence[Anchor]]) -> PointBatch:
        """The points of the cells; where words are all that is asked, they click where the object shows them most.

        Where they are seen most of all, on the object or not, is taught by the loss of where names point; which of some
        such places is meant is chosen when an answer is asked for.
        """
        said = _first(told, "class") if self.network.words_click and self.each == 1 else None
        clicking = [
            said is not None and not cell.regions and not cell.reference and bool(own)
            and all(anchor.space == "class" for anchor in own)
            for cell, own in zip(self.cells, more, strict=True)
        ]  # fmt: skip
        regions = [
            [first_pixel(cell.valid)] if clicks else cell.regions
            for cell, clicks in zip(self.cells, clicking, strict=True)
        ]
        points = self._points(regions)
        if said is None or not any(clicking):
            return points
        sizes = torch.tensor([cell.valid for cell in self.cells], dtype=torch.float32, device=said[0].device)
        within = torch.from_numpy(np.stack([cell.target.mask for cell in self.cells])).to(said[0].device)
        place = self.network.words_peaks(self.prepared, said[0], sizes, within=within)[:, 0]
        return points.moved(torch.tensor(clicking, device=place.device), place)

    def _points(self, regions: Sequence[Sequence[Region]]) -> PointBatch:
        budget = self.options.region_points
        sets: list[PointSet | None] = [
            sample_regions(list(each), budget) if each else None for each in regions
        ]
        return stack_points(sets, (self.size, self.size), self.prepared.levels[0])

    def _queries(self, region: RegionTokens, anchors: Sequence[AnchorBatch]) -> RowBatch:
        """The candidates of each entry; where they are drawn, a text keeps all of them, as published."""
        network, decoder, options = self.network, self.network.decoder, self.options.queries
        entries = len(self.cells) // self.each
        padding: Tensor | None = None
        if options.policy == "sampled":
            content, position = decoder.object_queries()
            every = len(content)
            drawn = [
                torch.arange(every)
                if cell.group == "text"
                else torch.from_numpy(cell.rng.integers(every, size=options.count))
                for cell in self.cells
            ]
            index = nn.utils.rnn.pad_sequence(drawn, batch_first=True, padding_value=-1).to(content.device)
            padding = index < 0 if len({len(each) for each in drawn}) > 1 else None
            content, position = content[index], position[index]  # N x k x C
        else:
            table = decoder.object_queries(decoder.options.candidates if self.each == 1 else None)
            content, position = (x.expand(entries, -1, -1) for x in table)
        if decoder.preset.conditioned:
            centre = (region.centre, region.evidence) if region.centre is not None else None
            content, position = network.prompts.conditioning(
                content, position, _first(anchors, "mask"), centre, _first(anchors, "class")
            )
        return RowBatch("query", content, position, padding)

    def _reference(self) -> RegionTokens | None:
        """Tokens of the same object in the partner view, for the cells that are shown one."""
        asked = [cell.reference for cell in self.cells]
        if not any(asked):
            return None
        n = len(self.cells) // self.prepared.batch
        partner = [(i // n ^ 1) * n + i % n for i in range(len(self.cells))]
        shown = [[Region(cell.truth)] if asked[partner[i]] else [] for i, cell in enumerate(self.cells)]
        tokens = self.network.prompts.region(self.prepared, self._points(shown))
        assert isinstance(tokens.padding, Tensor)
        return RegionTokens(
            tuple(x[partner] for x in tokens.content),
            tuple(x[partner] for x in tokens.position),
            tokens.padding[partner],
            tokens.anchor[partner],
            tokens.evidence[partner],
            None,
        )

    def _encode_prompts(self) -> tuple[list[list[Group]], list[list[Anchor]]]:
        """Rows and anchors of the prompts that bring their own, cell by cell."""
        groups: list[list[Group]] = [[] for _ in self.cells]
        anchors: list[list[Anchor]] = [[] for _ in self.cells]
        each = len(self.cells) // self.prepared.batch
        contexts: dict[int, Context] = {}
        for i, cell in enumerate(self.cells):
            for prompt in cell.prompts:
                context = contexts.setdefault(i // each, self._context(i // each, cell.valid))
                encoded = check_encoded(
                    prompt.encode(context.of(prompt)), prompt, self.network, context.prepared
                )
                groups[i] += [_placed(group) for group in encoded.groups]
                anchors[i] += encoded.answers
        return groups, anchors

    def _context(self, view: int, valid: tuple[int, int]) -> Context:
        first, second, third = (x[view] for x in self.features.levels)
        scene = Scene(
            levels=(first, second, third),
            fine=self.features.fine[view],
            meaning=None if self.features.meaning is None else self.features.meaning[view],
            grid=Grid(*valid),
            padded=(self.size, self.size),
            encoder="training",
            pixels=str(view),
        )
        return Context(
            network=self.network,
            scene=scene,
            prepared=pick_scenes(self.prepared, [view]),
            encode=_refuse_image,
            prepare=lambda scene: pick_scenes(self.prepared, [int(scene.pixels)]),
            look_closer=lambda: pick_scenes(self.prepared, [view]),
            texts=self.texts,
            part_of=self.part_of,
            weights=lambda: "training",
        )


def _refuse_image(image: object) -> Scene:
    if isinstance(image, Scene):
        return image
    raise SeemkitError(
        "a prompt that is simulated for training brought an image of its own, which is not encoded"
    )


def _placed(group: Group) -> Group:
    """The group with a position of its own: the initial content, through which no gradient goes."""
    if group.position is not None:
        return group
    content = group.content
    position = tuple(x.detach() for x in content) if isinstance(content, tuple) else content.detach()
    return replace(group, position=position)


def _first(anchors: Sequence[AnchorBatch], space: str) -> tuple[Tensor, Tensor] | None:
    """The first anchor of a space that each object has (N, C), and whether it has one (N,)."""
    own = [batch for batch in anchors if batch.space == space]
    if not own:
        return None
    vector, seen = torch.zeros_like(own[0].vector), torch.zeros_like(own[0].evidence)
    for batch in own:
        vector = torch.where((~seen & batch.evidence)[:, None], batch.vector, vector)
        seen = seen | batch.evidence
    return vector, seen


def _join(batch: RowBatch, each: int) -> list[RowBatch]:
    """Rows of `each` objects of a view as rows of one entry; what is limited to a mask stays apart."""

    def side_by_side(x: Tensor) -> Tensor:
        return x.reshape(x.shape[0] // each, each * x.shape[1], *x.shape[2:])

    padding = batch.padding
    assert not isinstance(padding, tuple)
    if batch.attends is None:
        content, position = (
            tuple(map(side_by_side, x)) if isinstance(x, tuple) else side_by_side(x)
            for x in (batch.content, batch.position)
        )
        return [RowBatch(batch.role, content, position, None if padding is None else side_by_side(padding))]
    assert isinstance(batch.content, Tensor)
    assert isinstance(batch.position, Tensor)
    return [
        RowBatch(
            batch.role,
            batch.content[k::each],
            batch.position[k::each],
            None if padding is None else padding[k::each],
            batch.attends[k::each],
        )
        for k in range(each)
    ]

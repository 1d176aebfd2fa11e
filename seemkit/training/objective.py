"""One training step: simulated prompts and rounds without gradient, then all losses of the last round.

Source: SEEM section 3.4 and its training code as specified: visual prompts are matched with mask embeddings,
texts with class embeddings, memory takes part from the second round on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seemkit.components import PixelFeatures
from seemkit.geometry.grid import Grid
from seemkit.geometry.points import PointSet, sample_regions
from seemkit.geometry.region import Region
from seemkit.network.decoder import Decoded
from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.network.rows import RowBatch, stack_rows
from seemkit.network.sampler import RegionTokens, stack_points
from seemkit.prompting.prompt import SpatialPrompt
from seemkit.training.clicks import next_click
from seemkit.training.losses import mask_losses, random_points
from seemkit.training.objects import narrow, object_losses
from seemkit.training.views import View

__all__ = ["Objective", "Weights", "log_shares"]


@dataclass(frozen=True)
class Weights:
    """Loss weights, and the matching cost's (selection, bce, dice)."""

    bce: float = 5.0
    dice: float = 5.0
    selection: float = 1.0
    label: float = 0.5
    objects: float = 0.5
    cost: tuple[float, float, float] = (2.0, 5.0, 5.0)


@dataclass
class Cell:
    """One object of one view, and what its simulated user has given so far."""

    truth: NDArray[np.bool_]
    mode: str
    regions: list[Region] = field(default_factory=list)
    used: NDArray[np.bool_] | None = None
    text: str | None = None
    target: NDArray[np.float32] | None = None


class Objective:
    """The objective of a network on batches of views; every draw comes from the step's generators.

    Args:
        network: what is trained.
        prompts: spatial prompt types that take part through their `simulate`.
        weights: of the losses.
        rounds: the largest number of rounds before the one with gradient.
        points: P, sampled points of a mask loss.
        names: the class names that labels are learned with, and how often each occurs; None for no labels.
            Rare names are not drowned: the logarithm of its share is added to a name's logit while training
            (Menon et al., Long-tail learning via logit adjustment, ICLR 2021).
        shares: how often an object is prompted in each way.
    """

    def __init__(
        self,
        network: Network,
        prompts: Sequence[type[SpatialPrompt]],
        *,
        weights: Weights | None = None,
        rounds: int = 3,
        points: int = 768,
        names: Mapping[str, int] | None = None,
        shares: tuple[tuple[str, float], ...] = (("spatial", 0.8), ("reference", 0.2)),
    ) -> None:
        self.network = network
        self.prompts = list(prompts)
        self.weights = weights or Weights()
        self.rounds = rounds
        self.points = points
        self.names = list(names or {})
        self.log_shares = log_shares(list((names or {}).values()))
        self.shares = shares

    def __call__(
        self, features: PixelFeatures, views: Sequence[View], size: int, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            features: of the views (B, ...), with gradient where something before is trained.
            views: B views with n objects each; view i and i + B / 2 show the same picture (for references).
            size: S of the canvas.
            rng: all draws of this step.
        """
        scene = self.network.decoder.prepare(features.levels, self.network.mask_features(features.fine))
        cells = self._cells(views, size, rng)
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        previous: Tensor | None = None
        with torch.no_grad():
            for _ in range(int(rng.integers(self.rounds + 1))):
                decoded, selection, _ = self._decode(scene, cells, size, previous, len(views))
                best = selection.argmax(1)
                chosen = decoded.mask_embeddings[torch.arange(len(cells)), best][:, None]
                previous = decoded.masks(scene, chosen)[:, 0]
                self._click(cells, previous, size)
        decoded, selection, anchors = self._decode(scene, cells, size, previous, len(views), every_head=True)
        losses = self._losses(scene, cells, decoded, anchors, views, size, generator)
        if self.names and views[0].visible is not None:
            half = len(views) // 2  # the second views show only the objects of the first
            shown = narrow(scene, half)
            losses |= object_losses(
                self.network,
                shown,
                views[:half],
                self.names,
                self.log_shares,
                size,
                self.points,
                self.weights.objects,
                generator,
            )
        return losses

    def _cells(self, views: Sequence[View], size: int, rng: np.random.Generator) -> list[Cell]:
        kinds = [name for name, _ in self.shares]
        weights = np.array([share for _, share in self.shares])
        cells = []
        for view in views:
            for mask, index in zip(view.masks, view.chosen, strict=True):
                instance = view.picture.instances[index]
                mode = str(rng.choice(kinds, p=weights / weights.sum()))
                if mode in ("text", "mixed"):
                    same = [i for i in view.picture.instances if i.name == instance.name]
                    if instance.name is None or len(same) > 1:
                        mode = "spatial"
                cell = Cell(mask, mode, target=instance.target, text=instance.name)
                if mode in ("spatial", "mixed"):
                    cell.regions.append(self._simulate(mask, rng))
                    cell.used = np.zeros(mask.shape, bool)
                cells.append(cell)
        return cells

    def _simulate(self, mask: NDArray[np.bool_], rng: np.random.Generator) -> Region:
        points = [p for p in self.prompts if p.type_name() == "point"]
        click = bool(points) and rng.random() < 0.5
        kind = points[0] if click else self.prompts[int(rng.integers(len(self.prompts)))]
        prompt = kind.simulate(mask, rng)
        region = prompt.region(Grid(*mask.shape)) if prompt is not None else None
        return region if region is not None and region.mask.any() else Region(mask)

    def _click(self, cells: Sequence[Cell], logits: Tensor, size: int) -> None:
        full = nn.functional.interpolate(logits[:, None], size=(size, size), mode="bilinear")[:, 0] > 0
        for cell, prediction in zip(cells, full.numpy(), strict=True):
            click = next_click(prediction, cell.truth, cell.used)
            if click is None:
                continue
            x, y, positive = click
            mask = np.zeros(cell.truth.shape, bool)
            mask[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = True
            cell.regions.append(Region(mask, include=positive))
            cell.used = mask if cell.used is None else cell.used | mask

    def _decode(
        self,
        scene: PreparedScene,
        cells: Sequence[Cell],
        size: int,
        previous: Tensor | None,
        views: int,
        *,
        every_head: bool = False,
    ) -> tuple[Decoded, Tensor, list[tuple[str, Tensor, Tensor]]]:
        network, n = self.network, len(cells)
        sets: list[PointSet | None] = [sample_regions(c.regions, 128) if c.regions else None for c in cells]
        points = stack_points(sets, (size, size), scene.levels[0])
        region = network.prompts.region(scene, points)
        rows = [RowBatch("region", region.content, region.position, region.padding)]
        anchors = [("mask", region.anchor, region.evidence)]
        reference = self._reference(scene, cells, size, views)
        if reference is not None:
            rows.append(RowBatch("reference", reference.content, reference.position, reference.padding))
            anchors.append(("mask", reference.anchor, reference.evidence))
        phrase = self._phrases(cells)
        if phrase is not None:
            tokens, padding, embedding, evidence = phrase
            rows.append(RowBatch("phrase", tokens, tokens.detach(), padding))
            anchors.append(("class", embedding, evidence))
        if previous is not None:
            content, position = (x.expand(n, -1, -1) for x in network.prompts.memory())
            rows.append(RowBatch("memory", content, position, attends=previous))
        content, position = (
            x.expand(n, -1, -1) for x in network.decoder.object_queries(network.decoder.options.candidates)
        )
        bias = None
        if network.decoder.preset.guided:
            bias = network.prompts.guidance(scene.mask_features.whole, points, previous)
        if network.decoder.preset.conditioned:
            visual, seen = region.anchor, region.evidence
            if reference is not None:
                visual = visual + reference.anchor * (~seen & reference.evidence)[:, None]
                seen = seen | reference.evidence
            content, position = network.prompts.conditioning(
                content,
                position,
                (visual, seen),
                (region.centre, region.evidence) if region.centre is not None else None,
                (phrase[2], phrase[3]) if phrase is not None else None,
            )
        decoded = network.decoder(
            scene,
            [RowBatch("query", content, position), *rows],
            network.heads,
            bias=bias,
            every_head=every_head,
        )
        return decoded, self._select(decoded.queries, anchors), anchors

    def _reference(
        self, scene: PreparedScene, cells: Sequence[Cell], size: int, views: int
    ) -> RegionTokens | None:
        """Tokens of the same object in the partner view, for the cells that are prompted so."""
        asked = [cell.mode == "reference" for cell in cells]
        if not any(asked):
            return None
        half = len(cells) // 2
        partner = [*range(half, len(cells)), *range(half)]  # cell i shows what cell i + N / 2 shows
        sets = [
            sample_regions([Region(cell.truth)], 128) if asked[partner[i]] else None
            for i, cell in enumerate(cells)
        ]
        tokens = self.network.prompts.region(scene, stack_points(sets, (size, size), scene.levels[0]))
        assert isinstance(tokens.padding, Tensor)
        return RegionTokens(
            tuple(x[partner] for x in tokens.content),
            tuple(x[partner] for x in tokens.position),
            tokens.padding[partner],
            tokens.anchor[partner],
            tokens.evidence[partner],
            None,
        )

    def _phrases(self, cells: Sequence[Cell]) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
        texts = [c.text if c.mode in ("text", "mixed") else None for c in cells]
        given = sorted({t for t in texts if t is not None})
        if not given:
            return None
        encoded = dict(zip(given, self.network.encode_texts(given), strict=True))
        like = self.network.decoder.level_embed
        pieces = [self.network.phrase_rows(encoded[t].tokens) if t else None for t in texts]
        tokens, padding = stack_rows(pieces, like)
        zero = torch.zeros(self.network.dims.text)
        embedding = torch.stack([encoded[t].embedding if t else zero for t in texts])
        return tokens, padding, embedding, torch.tensor([t is not None for t in texts])

    def _select(self, queries: Tensor, anchors: Sequence[tuple[str, Tensor, Tensor]]) -> Tensor:
        """Sum over anchors of the log-softmax over the candidates, (N, Q)."""
        network = self.network
        total = queries.new_zeros(queries.shape[:2])
        for space, vector, evidence in anchors:
            if space == "mask":
                logits = (network.heads.mask_embedding(queries) @ vector[:, :, None])[..., 0]
            else:
                unit = nn.functional.normalize(network.heads.class_embedding(queries), dim=-1)
                towards = nn.functional.normalize(vector, dim=-1)
                logits = network.class_scale(100.0) * (unit @ towards[:, :, None])[..., 0]
            total = total + logits.log_softmax(1) * evidence[:, None]
        return total

    def _losses(
        self,
        scene: PreparedScene,
        cells: Sequence[Cell],
        decoded: Decoded,
        anchors: Sequence[tuple[str, Tensor, Tensor]],
        views: Sequence[View],
        size: int,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        weights = self.weights
        masks = torch.from_numpy(np.stack([c.truth for c in cells])).float()[:, None]
        each = len(cells) // len(views)
        valid = torch.tensor([view.valid for view in views], dtype=torch.float32).repeat_interleave(each, 0)
        xy = random_points(valid, size, 3 * self.points, generator)
        totals = {"bce": masks.new_zeros(()), "dice": masks.new_zeros(()), "selection": masks.new_zeros(())}
        for queries in decoded.heads:
            selection = self._select(queries, anchors)
            logits = decoded.masks(scene, self.network.heads.mask_embedding(queries))
            loss = mask_losses(logits, masks, xy, selection.detach(), weights.cost)
            share = 1 / len(decoded.heads)
            totals["bce"] = totals["bce"] + share * weights.bce * loss.bce.mean()
            totals["dice"] = totals["dice"] + share * weights.dice * loss.dice.mean()
            chosen = selection[torch.arange(len(cells)), loss.matched]
            totals["selection"] = totals["selection"] - share * weights.selection * chosen.mean()
        label = self._label_loss(decoded.queries[torch.arange(len(cells)), loss.matched], cells)
        if label is not None:
            totals["label"] = weights.label * label
        return totals

    def _label_loss(self, states: Tensor, cells: Sequence[Cell]) -> Tensor | None:
        """Class embeddings of the matched rows: towards their names among all names, and towards targets."""
        if not self.names:
            return None
        network = self.network
        embeddings = nn.functional.normalize(network.heads.class_embedding(states), dim=-1)
        parts = []
        named = [i for i, c in enumerate(cells) if c.text in self.names]
        if named:
            with torch.no_grad():
                vocabulary = torch.stack([p.embedding for p in network.encode_texts(self.names)])
                vocabulary = nn.functional.normalize(vocabulary, dim=-1)
            truth = torch.tensor([self.names.index(str(cells[i].text)) for i in named])
            logits = network.class_scale() * embeddings[named] @ vocabulary.T + self.log_shares
            parts.append(nn.functional.cross_entropy(logits, truth, reduction="sum"))
        aimed = [i for i, c in enumerate(cells) if c.target is not None and i not in named]
        if aimed:
            target = torch.from_numpy(np.stack([cells[i].target for i in aimed]))  # type: ignore[misc]
            parts.append(2 * (1 - (embeddings[aimed] * target).sum(-1)).sum())
        return torch.stack(parts).sum() / len(cells) if parts else None


def log_shares(counts: Sequence[int]) -> Tensor:
    """(K,) logarithm of each name's share of all occurrences, one added to each."""
    share = torch.tensor([float(count) + 1 for count in counts])
    return (share / share.sum()).log() if counts else share

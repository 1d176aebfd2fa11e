"""One training step: rounds of correction without gradient, then all losses of the last round in one pass.

Source: SEEM section 3.4 and its training as specified: object, visual and text groups share one encoded picture, every
head is supervised, and memory takes part from the second round on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seemkit.components import PixelFeatures
from seemkit.imaging.preprocess import Preprocess
from seemkit.network.meaning import Meaning
from seemkit.network.network import Network
from seemkit.network.precision import full_precision
from seemkit.network.prepared import PreparedScene
from seemkit.prompting.prompt import Prompt
from seemkit.prompting.rows import Phrase
from seemkit.training.anchors import choices, joint
from seemkit.training.asking import Asked, Asking, check_policy
from seemkit.training.batch import Batch, Divisors, normalise
from seemkit.training.cell import Cell
from seemkit.training.closer import look_closer
from seemkit.training.corrections import correct
from seemkit.training.drift import drift, drifting
from seemkit.training.labels import label_losses
from seemkit.training.mask_losses import Sampling
from seemkit.training.name_tables import NameTables
from seemkit.training.objects import Everything, emphasis_of, object_losses, objects_of
from seemkit.training.pointing import pointing_losses
from seemkit.training.points import PointDraws
from seemkit.training.prompted import GROUPS, prompted_losses
from seemkit.training.recipe.sections import ObjectiveSection
from seemkit.training.scenes import pick_scenes

__all__ = ["Objective", "Step"]

PHRASES = 20_000
"""So many texts are kept encoded."""


@dataclass(frozen=True)
class Step:
    """What all processes and parts of a step have in common.

    Attributes:
        number: of the step.
        rounds: how many rounds of correction come before the one with gradient.
        divisors: how many of everything it has.
        seed: of the run.
    """

    number: int
    rounds: int
    divisors: Divisors
    seed: int = 0


class Objective(nn.Module):
    """The losses of a network on batches, as a module, so that processes can share its gradients.

    Args:
        network: what is trained.
        preprocess: how pictures become its input.
        options: what is learned.
        tables: names by data set.
        size: S, side of the canvas in pixels.
        parts: name in ``network.prompts`` of the learned part of each prompt type that has one.
        opinions: (D,) directions that objects without a name are taught, by their key.
    """

    def __init__(
        self,
        network: Network,
        preprocess: Preprocess,
        options: ObjectiveSection,
        tables: NameTables,
        size: int,
        *,
        parts: Mapping[type[Prompt], str] | None = None,
        opinions: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> None:
        super().__init__()
        check_policy(network, options)
        self.network = network
        self.preprocess = preprocess
        self.options = options
        self.tables = tables
        self.size = size
        self.parts = dict(parts or {})
        self.opinions = dict(opinions or {})
        self._phrases: dict[str, Phrase] = {}

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of all terms that a batch can have, in order: all processes sum the same, whatever is in theirs."""
        options = self.options
        names = [f"{group}_{term}" for group in GROUPS for term in ("choice", "bce", "dice")]
        if options.labels is not None:
            names.append("label")
        if options.objects is not None:
            names += ["object_name", "object_bce", "object_dice", *["pointing"] * bool(options.pointing)]
        return tuple(names)

    def divisors(self, batch: Batch) -> Divisors:
        """How many of everything a batch has."""
        groups = [cell.group for cell in batch.cells]
        emphasis = masks = 0.0
        if self.options.objects is not None:
            queries = self.network.decoder.options.queries
            for index in self._complete(batch):
                objects = len(objects_of(batch.views[index], self.tables))
                emphasis += emphasis_of(objects, queries, self.options.objects.nothing)
                masks += min(objects, queries)
        return Divisors(groups.count("visual"), groups.count("text"), emphasis, masks)

    def forward(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """Weighted terms, whose sum is the loss; over all processes and parts of the step they add up."""
        network, size, device = self.network, self.size, self.network.device
        images = normalise(batch.views, self.preprocess, device)
        learns = any(p.requires_grad for p in network.image_encoder.parameters())
        with torch.set_grad_enabled(learns and torch.is_grad_enabled()):
            maps = network.image_encoder(images)
            closer = look_closer(network, self.preprocess, batch.views)
        features = network.pixel_decoder(maps)
        kept = self._kept(sum(x.shape[1] for x in (*maps[2:], *closer)), batch)
        features = self._leave_out(features, maps, kept)
        scene = network.decoder.prepare(
            features.levels, network.mask_features(features.fine), features.meaning
        )
        if closer:
            assert features.meaning is not None
            meaning = cast(Meaning, network.pixel_decoder.meaning)
            factors = None if kept is None else kept[:, -sum(x.shape[1] for x in closer) :]
            scene = replace(scene, nearer=meaning.refine(features.meaning, closer, factors))
        ask = self.asking(scene, features, batch.cells)
        previous: Tensor | None = None
        with torch.no_grad():
            for _ in range(step.rounds):
                previous = self.answer(ask, ask(previous))
                self._correct(batch.cells, previous)
                previous = drift(previous, batch.cells, self.options.drift)
        asked = ask(previous, every_head=True)
        generators = [torch.Generator().manual_seed(seed) for seed in batch.seeds]
        views = batch.views
        draws = PointDraws(generators, [v.valid for v in views], size, device, [v.ignored for v in views])
        prompted = prompted_losses(network, scene, batch.cells, asked, draws, self.options, step.divisors)
        terms = prompted.terms
        if self.options.labels is not None:
            sources = [view.source for view in batch.views for _ in view.chosen]
            terms["label"] = label_losses(
                network,
                self._classes(scene, asked, prompted.matched),
                batch.cells,
                sources,
                self.tables,
                self.opinions,
                [step.seed, step.number],
                self.options.labels.weight / max(step.divisors.cells, 1.0),
            )
        complete = self._complete(batch)
        if self.options.objects is not None and complete:
            seen = [views[i] for i in complete]
            some = PointDraws(
                [generators[i] for i in complete],
                [view.valid for view in seen],
                size,
                device,
                [view.ignored for view in seen],
            )
            terms |= object_losses(
                network,
                pick_scenes(scene, complete),
                seen,
                self.tables,
                some,
                self._everything(step.divisors),
                [step.seed, step.number],
            )
            if self.options.pointing:
                terms["pointing"] = pointing_losses(
                    network,
                    pick_scenes(scene, complete),
                    seen,
                    [objects_of(view, self.tables) for view in seen],
                    {
                        source: self.tables.embed(source, [step.seed, step.number, source])
                        for source in {view.source for view in seen}
                    },
                    self.options.pointing / max(step.divisors.masks, 1.0),
                )
        return terms

    def asking(self, scene: PreparedScene, features: PixelFeatures, cells: Sequence[Cell]) -> Asking:
        """What asks for cells on scenes, again and again."""
        return Asking(
            self.network,
            scene,
            features,
            cells,
            self.size,
            self.options,
            self._encode_texts,
            self._part_of,
        )

    def answer(self, ask: Asking, asked: Asked) -> Tensor:
        """(N, h, w) logits of the candidate that the anchors of each cell choose."""
        decoded = asked.decoded
        found = choices(
            self.network,
            ask.prepared,
            decoded.queries,
            decoded.mask_embeddings,
            decoded.bias,
            asked.anchors,
            ask.each,
            asked.padding,
        )
        best = joint(found, decoded.queries, ask.each).argmax(-1)  # E x M
        entry = torch.arange(len(best), device=best.device)[:, None]
        chosen = decoded.mask_embeddings[entry, best]  # E x M x C
        return decoded.masks(ask.prepared, chosen).flatten(0, 1)

    def _classes(self, scene: PreparedScene, asked: Asked, matched: Tensor) -> Tensor:
        """(N, D) class embeddings of the candidates (E, M) that the cells were matched with."""
        decoded, index = asked.decoded, torch.arange(len(matched), device=matched.device)[:, None]
        rows, embeddings = decoded.queries[index, matched], decoded.mask_embeddings[index, matched]
        with full_precision(rows.device):
            found = self.network.class_embeddings(rows, embeddings, scene, decoded.bias, asked.named)
        return found.flatten(0, 1)

    def _correct(self, cells: Sequence[Cell], logits: Tensor) -> None:
        """Click where answers (N, h, w) are wrong; objects that are followed through frames get no click."""
        followed = drifting(cells, self.options.drift)
        seen = zip(cells, self.predictions(logits), followed, strict=True)
        clicked = [(cell, mask) for cell, mask, follows in seen if not follows]
        correct([cell for cell, _ in clicked], [mask for _, mask in clicked], self.options.clicks)

    def predictions(self, logits: Tensor) -> list[NDArray[np.bool_]]:
        """Masks (S, S) of logits (N, h, w) at stride 4."""
        full = nn.functional.interpolate(
            logits[:, None].float(), size=(self.size, self.size), mode="bilinear"
        )
        return list((full[:, 0] > 0).cpu().numpy())

    def _everything(self, divisors: Divisors) -> Everything:
        options = self.options
        assert options.objects is not None
        heads = len(self.network.decoder.layers) + 1 if options.heads == "mean" else 1
        return Everything(
            options.objects,
            options.cost.objects,
            options.points.matching,
            Sampling(options.points.loss, options.points.oversample, options.points.important),
            max(divisors.emphasis, 1e-6),
            max(divisors.masks, 1.0),
            1 / heads,
            options.heads == "last",
        )

    def _kept(self, channels: int, batch: Batch) -> Tensor | None:
        """Factors (B, C) of the channels that names are read from, some left out for each view anew; None for all."""
        share = self.options.left_out
        if not share or not self.network.training:
            return None
        kept = [
            torch.rand(channels, generator=torch.Generator().manual_seed(seed + 1)) >= share
            for seed in batch.seeds
        ]
        return torch.stack(kept).to(self.network.device).float() / (1 - share)

    def _leave_out(
        self, features: PixelFeatures, maps: Sequence[Tensor], kept: Tensor | None
    ) -> PixelFeatures:
        """The features with some of the encoder's channels left out of the map for names."""
        meaning = getattr(self.network.pixel_decoder, "meaning", None)
        if kept is None or meaning is None:
            return features
        factors = kept[:, : maps[2].shape[1] + maps[3].shape[1]]
        return replace(features, meaning=meaning(maps[2], maps[3], factors.to(maps[2])))

    def _complete(self, batch: Batch) -> list[int]:
        """The views that everything mode learns from: one of each picture, if all of it is marked and named."""
        return [
            i
            for i, view in enumerate(batch.views)
            if view.complete and self.tables.names[view.source] and not (batch.paired and i % 2)
        ]

    def _encode_texts(self, texts: Sequence[str]) -> list[Phrase]:
        """Texts by the text encoder, kept where it is frozen."""
        frozen = not any(
            p.requires_grad
            for name, p in self.network.text_encoder.named_parameters()
            if name != "logit_scale"
        )
        if not frozen:
            return self.network.encode_texts(texts)
        new = [text for text in dict.fromkeys(texts) if text not in self._phrases]
        if len(self._phrases) + len(new) > PHRASES:
            self._phrases.clear()
            new = list(dict.fromkeys(texts))
        if new:
            with torch.no_grad():
                self._phrases.update(zip(new, self.network.encode_texts(new), strict=True))
        return [self._phrases[text] for text in texts]

    def _part_of(self, kind: type[Prompt]) -> nn.Module | None:
        name = self.parts.get(kind)
        return None if name is None else self.network.prompts.get_submodule(name)

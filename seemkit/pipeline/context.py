"""What a token prompt may use while it is encoded: the pipeline behind :class:`seemkit.api.EncodeContext`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch

from seemkit.errors import PromptError
from seemkit.geometry.points import sample_regions
from seemkit.geometry.region import Region
from seemkit.network.sampler import stack_points
from seemkit.pipeline.concept_rows import concept_rows
from seemkit.pipeline.legacy import draw_points
from seemkit.prompting.prompt import Prompt, SpatialPrompt
from seemkit.prompting.rows import Anchor, Encoded, Group, Phrase
from seemkit.runtime.runtime import Runtime

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seemkit.concept_file import ConceptFile
    from seemkit.network.legacy import Draws
    from seemkit.network.network import Network
    from seemkit.network.prepared import PreparedScene
    from seemkit.network.sampler import PointBatch
    from seemkit.prompting.context import Dims
    from seemkit.scene import ImageSource, Scene

__all__ = ["Context"]


@dataclass(frozen=True, eq=False)
class Context:
    """One scene being prompted.

    Attributes:
        network: the weights.
        scene: the scene.
        prepared: what the decoder made of it.
        encode: image to scene, for references.
        prepare: scene to what the decoder makes of it (cached).
        look_closer: gives `prepared` with a closer look at the scene, for names (cached).
        texts: encoded phrases of texts (cached).
        part_of: the learned part of a prompt type, if it has one.
        module: of the prompt being encoded.
        weights: hash of the weights that rows of regions come from.
        named: whether names were given for all answers: then they are read from a closer look, whatever is asked for.
        draws: where the decoder has legacy options, what it draws at random; else None.
        runtime: how the network is run.
    """

    network: Network
    scene: Scene
    prepared: PreparedScene
    encode: Callable[[ImageSource], Scene]
    prepare: Callable[[Scene], PreparedScene]
    texts: Callable[[Sequence[str]], list[Phrase]]
    part_of: Callable[[type[Prompt]], nn.Module | None]
    look_closer: Callable[[], PreparedScene]
    weights: Callable[[], str]
    module: nn.Module | None = None
    named: bool = False
    draws: Draws | None = None
    runtime: Runtime = field(default_factory=Runtime)

    @property
    def dims(self) -> Dims:
        """The widths of this pipeline."""
        return self.network.dims

    def of(self, prompt: Prompt) -> Context:
        """The same context with the learned part of the prompt's type."""
        return replace(self, module=self.part_of(type(prompt)))

    def text(self, texts: Sequence[str]) -> list[Phrase]:
        """Encode texts, cached."""
        return self.texts(texts)

    def phrase_rows(self, tokens: Tensor) -> Tensor:
        """(T, D) of the joint space to (T, C) of the decoder."""
        return self.network.phrase_rows(tokens)

    def sample(self, scene: Scene, regions: Sequence[Sequence[Region]]) -> list[PointBatch]:
        """Points of each object's regions on a scene: once for all, or drawn for each level and the anchor."""
        if self.draws is not None and any(regions):
            legacy = self.network.decoder.options.legacy
            if legacy.shared_points or legacy.drawn_points:
                return draw_points(scene, self.prepared, regions, legacy, self.draws, self.runtime.pinned)
        sets = [sample_regions(each) if each else None for each in regions]
        return [stack_points(sets, scene.padded, self.prepared.levels[0], pinned=self.runtime.pinned)]

    def reference(self, image: ImageSource, prompts: Sequence[Prompt], include: bool = True) -> Encoded:
        """Tokens of every level and the anchor of a region of another image (SEEM's referring regions)."""
        scene = self.encode(image)
        regions = []
        for index, prompt in enumerate(prompts):
            if not isinstance(prompt, SpatialPrompt):
                raise PromptError(
                    f"prompts[{index}] of a reference is a {prompt.type_name()}; it has to select pixels",
                    path=f"reference.prompts[{index}]",
                )
            prompt.check(scene.size)
            found = prompt.region(scene.grid)
            regions.append(Region(found.mask, include=prompt.include, kind=found.kind))
        points = self.sample(scene, [regions])
        tokens = self.network.prompts.region(self.prepare(scene), points)
        if points[-1].known is None or not points[-1].known.positive[0]:
            raise PromptError("the region of a reference is empty; select the object in the reference image")
        anchor = Anchor("mask", tokens.anchor[0], "reference", include=include)
        if not include:
            return Encoded((), (anchor,))
        group = Group(
            "reference",
            tuple(x[0] for x in tokens.content),
            tuple(x[0] for x in tokens.position),
            persist=False,
        )
        return Encoded((group,), (anchor,))

    def concept(self, concept: ConceptFile, include: bool = True) -> Encoded:
        """Tokens and anchors of regions that were kept; refused if other weights made them."""
        return concept_rows(
            concept, include, weights=self.weights(), dims=self.dims, like=self.network.decoder.level_embed
        )

    def memory(self, mask: Tensor) -> Encoded:
        """Memory rows that look only where an earlier mask was (SEEM section 3.2).

        A (H, W) bool mask of the image becomes logits of +-10; (h, w) logits at stride 4 stay as they are. It is
        looked at where it lies, which is the host for those of results and prompts.
        """
        own = self._to_logits(mask)
        group = self._rows(own)
        logits = group.attends
        assert logits is not None
        inside = (logits > 0).to(logits.dtype)
        if not bool((own > 0).any()):
            return Encoded((group,))
        vector = self.prepared.mask_features.mean_inside(inside)
        return Encoded((group,), (Anchor("mask", vector, "memory", fallback=True),))

    def memory_rows(self, mask: Tensor) -> Group:
        """The same rows without the anchor that answers where nothing else does."""
        return self._rows(self._to_logits(mask))

    def _rows(self, logits: Tensor) -> Group:
        content, position = self.network.prompts.memory()
        return Group("memory", content, position, attends=self.runtime.send(logits, self.network.device))

    def _to_logits(self, mask: Tensor) -> Tensor:
        """Finite logits at stride 4 of a mask or logits; :class:`PromptError` for what is neither."""
        mask = mask if isinstance(mask, torch.Tensor) else torch.tensor(mask)
        cells, dtype = self.prepared.mask_features.size, self.network.decoder.level_embed.dtype
        if mask.is_meta:
            raise PromptError("memory logits are on the device meta, so they hold no values", path="memory")
        if mask.dtype != torch.bool:
            if not mask.is_floating_point():
                raise PromptError(
                    f"memory logits hold {str(mask.dtype).removeprefix('torch.')}, expected floats; of an image's "
                    "mask give (H, W) bool",
                    path="memory",
                )
            if mask.shape != cells:
                raise PromptError(
                    f"memory logits have shape {tuple(mask.shape)}, expected {cells}, "
                    "this scene's at stride 4 of the padded input",
                    path="memory",
                )
            if not bool(mask.isfinite().all()):
                raise PromptError(
                    "memory logits hold NaN or infinity, expected finite numbers", path="memory"
                )
            return mask.to(dtype)
        height, width = self.scene.grid.size
        resized = torch.nn.functional.interpolate(
            mask[None, None].to(dtype), size=(height, width), mode="bilinear", antialias=True
        )
        canvas = resized.new_zeros(1, 1, *self.scene.padded)
        canvas[..., :height, :width] = resized
        small = torch.nn.functional.interpolate(canvas, size=cells, mode="bilinear", antialias=True)
        return (small[0, 0] - 0.5) * 20

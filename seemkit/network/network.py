"""The whole network of an assembly: image encoder, pixel and mask decoder, heads, prompts, text encoder."""

from collections.abc import Mapping, Sequence
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from seemkit.components import PixelFeatures, TextEncoder
from seemkit.network.conditioning import Conditioning
from seemkit.network.decoder import MaskDecoder
from seemkit.network.guidance import REACH, Guidance
from seemkit.network.heads import Heads
from seemkit.network.mask_features import MaskFeatures
from seemkit.network.memory import MemoryRows
from seemkit.network.outline import Outline, box_map
from seemkit.network.phrase_check import check_embeddings, check_phrases
from seemkit.network.precision import at_least_single, full_precision
from seemkit.network.prepared import PreparedScene
from seemkit.network.resampling import resize_features
from seemkit.network.sampler import PointBatch, RegionSampler
from seemkit.network.seen import masks_at, seen_under
from seemkit.network.words import Words
from seemkit.prompting.context import Dims
from seemkit.prompting.rows import Phrase

__all__ = ["CORE_PARTS", "LooksCloser", "Network", "PromptParts"]

CORE_PARTS = frozenset({"region", "memory", "conditioning", "guidance", "words", "outline", "phrase"})
"""Learned parts of prompts that are the core's own; every other name in ``prompts`` is a distribution."""


class LooksCloser(Protocol):
    """An image encoder that looks closer at an image, for names."""

    def closer(self, image: Tensor) -> Sequence[Tensor]:
        """A finer image (B, 3, H, W) to maps (B, C_i, h_i, w_i)."""


class PromptParts(nn.ModuleDict):
    """Learned parts of prompts: the core's (region, memory, phrase) and one per plugin that has any.

    Args:
        decoder: the mask decoder.
        dims: widths.
        pointing: whether words point at what is seen.
    """

    def __init__(self, decoder: MaskDecoder, dims: Dims, *, pointing: bool = False) -> None:
        super().__init__()
        self.region = RegionSampler(dims.channels, decoder.preset, dims.levels)
        self.memory = MemoryRows(decoder.options.memory_rows, dims.channels)
        if decoder.preset.conditioned:
            self.conditioning = Conditioning(dims.channels, dims.text)
        if decoder.preset.guided:
            self.guidance = Guidance(dims.channels)
            if decoder.options.outline:
                self.outline = Outline(dims.channels, decoder.options.outline)
        if pointing:
            self.words = Words()
        if dims.text != dims.channels:
            self.phrase = nn.Linear(dims.text, dims.channels)


class Network(nn.Module):
    """Weights only: it holds no image, no prompt and no cache, so threads can share it.

    Attributes:
        plugins: what is known of the plugin behind each learned part, by ``<distribution>.<name>``.
        foreign: tensors of plugins that are not installed, by name; they are written back with the weights.
        untrained: learned parts that a weights file had nothing for.
        text_owner: what sentences call the text encoder.

    Args:
        image_encoder: (B, 3, H, W) to four maps.
        pixel_decoder: four maps to :class:`PixelFeatures`.
        decoder: the mask decoder.
        text_encoder: a :class:`seemkit.components.TextEncoder`.
        text_dim: D.
        plugins: learned parts of prompt plugins by ``<distribution>.<name>``.
    """

    def __init__(
        self,
        image_encoder: nn.Module,
        pixel_decoder: nn.Module,
        decoder: MaskDecoder,
        text_encoder: nn.Module,
        text_dim: int,
        plugins: Mapping[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.dims = Dims(decoder.dim, text_dim)
        self.image_encoder = image_encoder
        self.pixel_decoder = pixel_decoder
        self.decoder = decoder
        width = int(getattr(getattr(pixel_decoder, "meaning", None), "width", 0))
        pointing = decoder.preset.sees and width > 0
        self.heads = Heads(decoder.dim, text_dim, sees=(width or decoder.dim) if decoder.preset.sees else 0)
        if pointing:  # a map of zeros points nowhere
            assert self.heads.seen is not None
            nn.init.trunc_normal_(self.heads.seen.weight, std=0.02)
        self.prompts = PromptParts(decoder, self.dims, pointing=pointing)
        self.text_encoder = text_encoder
        self.plugins: dict[str, dict[str, str]] = {name: {} for name in plugins or {}}
        self.foreign: dict[str, Tensor] = {}
        self.untrained: frozenset[str] = frozenset()
        self.text_owner = "the text encoder"
        for name, module in (plugins or {}).items():
            distribution, _, component = name.partition(".")
            if distribution not in self.prompts:
                self.prompts[distribution] = nn.ModuleDict()
            family = self.prompts[distribution]
            assert isinstance(family, nn.ModuleDict)
            family[component] = module

    def encode(self, image: Tensor) -> PixelFeatures:
        """Normalised, padded images (B, 3, H, W) to pixel features."""
        features: PixelFeatures = self.pixel_decoder(self.image_encoder(image))
        return features

    @property
    def nearness(self) -> int:
        """How many times as large as the input an image is that names are read from; 0 if nobody looks closer."""
        return int(getattr(getattr(self.pixel_decoder, "meaning", None), "nearness", 0))

    def look_closer(self, photo: Tensor, meaning: Tensor) -> Tensor:
        """What names are read from (B, M, h, w), by a closer look.

        Args:
            photo: (B, 3, k H, k W) normalised and padded, k times as large as the input.
            meaning: (B, M, h, w) what the input gave.
        """
        maps = cast(LooksCloser, self.image_encoder).closer(photo)
        nearer: Tensor = self.pixel_decoder.meaning.refine(meaning, maps)  # type: ignore[union-attr,operator]
        return nearer

    def mask_features(self, fine: Tensor) -> MaskFeatures:
        """Mask features of the stride-4 map (B, D, h, w) that the pixel decoder gave."""
        projection = getattr(self.pixel_decoder, "mask_proj", None)
        if projection is None:
            return MaskFeatures(fine)
        assert isinstance(projection, nn.Conv2d)
        return MaskFeatures(fine, projection.weight, projection.bias)

    def encode_texts(self, texts: Sequence[str]) -> list[Phrase]:
        """Tokens (T, D) and embedding (D,) of each text by the text encoder."""
        return check_phrases(
            cast(TextEncoder, self.text_encoder).encode(texts), len(texts), self.dims.text, self.text_owner
        )

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """(N, D) embeddings alone, by the text encoder's `embed` if it has one, which may share work."""
        embed = getattr(self.text_encoder, "embed", None)
        if embed is None:
            return torch.stack([phrase.embedding for phrase in self.encode_texts(texts)])
        return check_embeddings(embed(texts), len(texts), self.dims.text, self.text_owner)

    def phrase_rows(self, tokens: Tensor) -> Tensor:
        """Token states (..., D) of the joint space to decoder rows (..., C)."""
        if "phrase" in self.prompts._modules:
            rows: Tensor = self.prompts.phrase(tokens)
            return rows
        return tokens

    def class_embeddings(
        self,
        rows: Tensor,
        mask_embeddings: Tensor,
        scene: PreparedScene,
        bias: Tensor | None = None,
        named: Tensor | bool = False,
    ) -> Tensor:
        """Class embeddings (N, Q, D), un-normalised, of candidates on B scenes, N = B * n.

        Args:
            rows: (N, Q, C) their normalised states.
            mask_embeddings: (N, Q, C) of them.
            scene: the scenes.
            bias: (N, h, w) logits at stride 4 that every mask of an object has on top; None for none.
            named: (N,) bool, or of all, which objects are asked for by names: of them what a closer look shows counts.
        """
        seen = None if self.heads.seen is None else seen_under(scene, mask_embeddings, bias, named)
        return self.heads.class_embedding(rows, seen)

    def mask_term(
        self,
        scene: PreparedScene,
        points: PointBatch,
        previous: Tensor | None,
        said: tuple[Tensor, Tensor] | None,
    ) -> Tensor | None:
        """Logits (N, h, w) at stride 4 that every mask of N = B * n objects has on top; None without such a term.

        Args:
            scene: the scenes.
            points: of the objects.
            previous: (N, h, w) logits of the round before; None for no object.
            said: as for `words_point`; None for no object.
        """
        pointing = self.words_point(scene, said)
        if not self.decoder.preset.guided:
            return pointing
        drawn: tuple[Tensor, Tensor] = self.prompts.guidance(scene.mask_features.whole, points, previous)
        term, kernels = drawn
        total = term if pointing is None else term + pointing
        if "outline" not in self.prompts._modules:
            return total
        blank, pointed = torch.zeros_like(term), (~points.padding).any(1)
        remembered = blank if previous is None else previous.clamp(-REACH, REACH) * pointed[:, None, None]
        terms = torch.stack((term, blank if pointing is None else pointing, remembered), 1) / REACH
        named = torch.zeros_like(pointed) if said is None or pointing is None else said[1]
        size = (scene.small[2].shape[-2], scene.small[2].shape[-1])
        flags = [x.to(term.dtype)[:, None, None].expand(-1, *size) for x in (pointed, named)]
        asked = torch.stack((box_map(points, size), *flags), 1)
        hints = torch.cat((resize_features(torch.cat((kernels, terms), 1), size), asked), 1)
        outline: Tensor = self.prompts.outline(scene, hints, pointed | named)
        return total + outline

    def words_point(self, scene: PreparedScene, said: tuple[Tensor, Tensor] | None) -> Tensor | None:
        """Logits (N, h, w) at stride 4 that are high where B scenes show what is said of N = B * n objects.

        Args:
            scene: the scenes.
            said: class-space vectors (N, D) and which objects have one (N,); None for no object.

        Returns:
            None where nothing is said, or the network has no map that names are read from.
        """
        meanings = self._meanings(scene)
        if said is None or meanings is None:
            return None
        found: Tensor = self.prompts.words(meanings, *said, scene.mask_features.size)
        return found

    def words_fit(
        self,
        scene: PreparedScene,
        said: tuple[Tensor, Tensor] | None,
        mask_embeddings: Tensor,
        bias: Tensor | None,
    ) -> Tensor | None:
        """Logits (N, Q) to add to the similarities of candidates (N, Q, C) with what is said; None as above."""
        meanings = self._meanings(scene)
        if said is None or meanings is None:
            return None
        masks = masks_at(2, scene, mask_embeddings, bias)
        found: Tensor = self.prompts.words.fits(meanings, *said, masks)
        return found

    def words_peaks(
        self, scene: PreparedScene, said: Tensor, sizes: Tensor, count: int = 1, within: Tensor | None = None
    ) -> Tensor:
        """Where a text (N, D) is seen most on B scenes, N = B * n: (N, K, 2) as (x, y) in [0, 1) of the padded input.

        Args:
            scene: the scenes; words have to point.
            said: class-space vectors.
            sizes: (N, 2) height and width of the picture on the input grid.
            count: K.
            within: (N, H, W) bool of the padded input, the pixels that count; None for all.
        """
        meanings = self._meanings(scene)
        assert meanings is not None
        height, width = (4 * side for side in scene.mask_features.size)
        share = torch.stack((sizes[:, 1] / width, sizes[:, 0] / height), -1)
        if within is not None:
            covered = functional.adaptive_avg_pool2d(
                within[:, None].to(share), (meanings.shape[-2], meanings.shape[-1])
            )[:, 0]
            within = covered >= covered.flatten(1).amax(1)[:, None, None].clamp(max=0.5)
        place: Tensor = self.prompts.words.peaks(meanings, said, share, count, within)
        return place

    @property
    def words_click(self) -> bool:
        """Whether a text that is all that is asked of an object clicks where it is seen most."""
        return "words" in self.prompts._modules

    def _meanings(self, scene: PreparedScene) -> Tensor | None:
        """(B, D, h, w) what cells mean, in the joint space, by the closest look; None where words do not point."""
        if scene.meaning is None or "words" not in self.prompts._modules:
            return None
        read = scene.meaning if scene.nearer is None else scene.nearer
        with full_precision(read.device):
            return self.heads.meanings(at_least_single(read))

    def class_scale(self, limit: float | None = None) -> Tensor:
        """The temperature of class similarities, exp(logit_scale), at most `limit`."""
        scale = self.text_encoder.logit_scale
        assert isinstance(scale, Tensor)
        return scale.exp() if limit is None else scale.exp().clamp(max=limit)

    def class_logits(self, embeddings: Tensor, vocabulary: Tensor) -> Tensor:
        """Temperature times cosine of class embeddings (..., D) and normalised names (K, D): (..., K)."""
        with full_precision(embeddings.device):  # the temperature may be 100
            given = at_least_single(embeddings)
            unit = given / (given.norm(dim=-1, keepdim=True) + 1e-7)
            logits: Tensor = self.class_scale() * (unit @ at_least_single(vocabulary).T)
        return logits

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.decoder.level_embed.device

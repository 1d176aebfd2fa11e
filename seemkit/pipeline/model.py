"""The model: an assembly with weights and everything a user asks of it, without state of a conversation."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch

from seemkit.answer.fused import Fused
from seemkit.errors import SceneError
from seemkit.imaging.load import load_image
from seemkit.pipeline.caches import Cache
from seemkit.pipeline.compose import gather
from seemkit.pipeline.context import Context
from seemkit.pipeline.device_cache import DeviceCache
from seemkit.pipeline.encode import Waiting, encode_batch
from seemkit.pipeline.everything import (
    Enlarged,
    Task,
    Thresholds,
    check_task,
    decode_everything,
    instances,
    panoptic,
)
from seemkit.pipeline.fingerprint import (
    describe_model,
    hash_pixels,
    hash_rows,
    hash_weights,
    weights_version,
)
from seemkit.pipeline.hooks import hooked_pixels
from seemkit.pipeline.legacy import seeded_draws
from seemkit.pipeline.present import present_answers, present_panoptic, present_segments, present_semantic
from seemkit.pipeline.segment import answer_objects, check_select
from seemkit.pipeline.semantic import semantic_map
from seemkit.pipeline.untrained import learned_part, refuse_untrained
from seemkit.pipeline.vocabulary import NameEmbeddings, Vocabularies, find_names, name_logits
from seemkit.prompting.read import read_prompts
from seemkit.runtime.runtime import Runtime
from seemkit.scene import Scene
from seemkit.vocabulary import Vocabulary, as_vocabulary

if TYPE_CHECKING:
    from torch import Tensor

    from seemkit.assembly import Assembly
    from seemkit.components import AnswerPolicy
    from seemkit.imaging.preprocess import Preprocess
    from seemkit.network.legacy import Draws
    from seemkit.network.network import Network
    from seemkit.network.prepared import PreparedScene
    from seemkit.pipeline.replayed import Replayed
    from seemkit.pipeline.segment import Answer, Memory, Select
    from seemkit.prompting.prompt import Prompt
    from seemkit.prompting.rows import Phrase
    from seemkit.result import Result
    from seemkit.scene import ImageSource
    from seemkit.session import Session
    from seemkit_registry import HookSet

__all__ = ["Model"]


class Model:
    """Weights, preprocessing and an answer policy; threads can share it.

    Made by :func:`seemkit.load`. Images are encoded once to a :class:`Scene`; prompts are answered on scenes.

    Args:
        network: the weights.
        preprocess: from pixels to the network's input.
        policy: how the answer of an object is chosen.
        assembly: the configuration that it was made from.
        vocabulary: names that labels are chosen from when a call gives none; None labels nothing.
        thresholds: when a query of everything mode counts.
        parts: name in ``network.prompts`` of the learned part of each prompt type that has one.
        hooks: of installed plugins.
        allow_untrained: answer prompts whose learned part has no weights.
        runtime: how the network is run; plain float32 by default.
    """

    def __init__(
        self,
        network: Network,
        preprocess: Preprocess,
        *,
        policy: AnswerPolicy | None = None,
        assembly: Assembly | None = None,
        vocabulary: Sequence[str] | None = None,
        thresholds: Thresholds | None = None,
        parts: Mapping[type[Prompt], str] | None = None,
        hooks: HookSet | None = None,
        allow_untrained: bool = False,
        runtime: Runtime | None = None,
    ) -> None:
        self.network = network.eval()
        self.preprocess = preprocess
        self.assembly = assembly
        self.policy: AnswerPolicy = policy or Fused()
        self.vocabulary = None if vocabulary is None else as_vocabulary(vocabulary)
        self.thresholds = thresholds or Thresholds()
        self.hooks = hooks
        self.runtime = runtime or Runtime()
        self.encodes = 0
        """How often an image went through the encoder."""
        self.allow_untrained = allow_untrained
        self._replayed: Draws | None = None
        self._counting = threading.Lock()
        self._parts = dict(parts or {})
        self._prepared: DeviceCache[tuple[Scene, PreparedScene]] = DeviceCache(4)
        self._references: DeviceCache[Scene] = DeviceCache(8)
        self._texts: DeviceCache[Phrase] = DeviceCache(4096)
        self._vocabularies = Vocabularies(network)
        self._fingerprints: Cache[str] = Cache(4)

    def __repr__(self) -> str:
        name = self.assembly.name if self.assembly is not None else "custom"
        count = sum(p.numel() for p in self.network.parameters()) / 1e6
        return f"Model({name}, {count:.1f} M parameters, {self.device})"

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.network.device

    @property
    def encoder_fingerprint(self) -> str:
        """Hash of the encoder's weights and the preprocessing: which scenes fit this model."""
        parts = (self.network.image_encoder, self.network.pixel_decoder)
        key = tuple(weights_version(part) for part in parts)
        return self._fingerprints.get(key, lambda: hash_weights(parts, self.preprocess.fingerprint()))

    @property
    def fingerprint(self) -> str:
        """Hash of all weights, the options that compute with them, and the precision: which logs fit this model."""
        about = describe_model(self)
        key = ("all", about, weights_version(self.network))
        return self._fingerprints.get(key, lambda: hash_weights((self.network,), about))

    @property
    def row_fingerprint(self) -> str:
        """Hash of what rows of regions come from and are read by: which concepts fit this model."""
        return hash_rows(self.network, self.encoder_fingerprint, self._fingerprints)

    # Scenes

    def encode(self, image: ImageSource) -> Scene:
        """Encode an image once; a scene is given back as it is.

        Args:
            image: path, PIL image, uint8 (H, W, 3) array, bytes of an image file, or a scene. EXIF
                orientation is applied.

        Raises:
            ImageError: it is missing, damaged, empty or too large.
            SceneError: the scene was made by another encoder.
        """
        if isinstance(image, Scene):
            self._check_scene(image)
            return image
        return self.encode_many([image])[0]

    def encode_many(self, images: Sequence[ImageSource], batch: int = 4) -> list[Scene]:
        """Encode several images, up to `batch` of the same padded size at once."""
        scenes: dict[int, Scene] = {}
        waiting: dict[tuple[int, ...], list[Waiting]] = {}
        for index, image in enumerate(images):
            if isinstance(image, Scene):
                scenes[index] = self.encode(image)
                continue
            pixels = hooked_pixels(self.hooks, load_image(image))
            tensor = self.preprocess.normalise(self.preprocess.resize(pixels))
            same = waiting.setdefault(tuple(tensor.shape), [])
            same.append(Waiting(index, pixels, tensor))
            if len(same) == batch:
                scenes.update(self._encode_batch(waiting.pop(tuple(tensor.shape))))
        for same in waiting.values():
            scenes.update(self._encode_batch(same))
        return [scenes[index] for index in range(len(images))]

    def _encode_batch(self, same: Sequence[Waiting]) -> dict[int, Scene]:
        scenes = encode_batch(self.network, self.preprocess, self.runtime, same, self.encoder_fingerprint)
        with self._counting:
            self.encodes += len(same)
        if self.hooks:
            scenes = [self.hooks.after_encode(scene) for scene in scenes]
        return {each.place: scene for each, scene in zip(same, scenes, strict=True)}

    # Answers

    def segment(
        self,
        image: ImageSource,
        prompts: Sequence[Prompt | Mapping[str, object]] | Prompt,
        *,
        vocabulary: Sequence[str] | None = None,
        select: Select = "best",
        memory: Mapping[str, Tensor] | None = None,
    ) -> Result:
        """Answer prompts on an image or scene.

        Args:
            image: whatever `encode` takes; give a scene to ask again without encoding again.
            prompts: any mix, as values or as JSON objects; those of one `object` are answered together, objects
                side by side.
            vocabulary: names to rank for labels, by a closer look where there is one; else the assembly's, at a glance.
            select: "best" gives one mask an object, an int that many, "all" every candidate
                row, "parts" up to three that lie one within the other, the largest first.
            memory: logits (h, w) at stride 4 of an earlier result, by object (sessions use it).

        Raises:
            PromptError: a prompt does not fit the image or selects nothing; the sentence says which.
        """
        check_select(select)
        asked = read_prompts(prompts)
        names = self._names(vocabulary)
        scene = self.encode(image)
        if self.hooks:
            asked = list(self.hooks.before_decode(asked))
        closely = vocabulary is not None and scene.photo is not None
        answers = self._answer(scene, asked, select, memory, closely)
        result = present_answers(self, scene, answers, names)
        return self.hooks.after_predict(result) if self.hooks else result

    def segment_many(
        self,
        requests: Sequence[tuple[ImageSource, Sequence[Prompt]]],
        *,
        vocabulary: Sequence[str] | None = None,
        select: Select = "best",
    ) -> list[Result]:
        """Answer many (image or scene, prompts) pairs, each with as many prompts and objects as it likes."""
        scenes = self.encode_many([image for image, _ in requests])
        return [
            self.segment(scene, prompts, vocabulary=vocabulary, select=select)
            for scene, (_, prompts) in zip(scenes, requests, strict=True)
        ]

    @torch.no_grad()
    def everything(
        self,
        image: ImageSource,
        *,
        vocabulary: Sequence[str] | None = None,
        task: Task = "panoptic",
        stuff: Sequence[str] = (),
        thresholds: Thresholds | None = None,
    ) -> Result:
        """Segment everything in an image over a vocabulary.

        Args:
            image: whatever `encode` takes.
            vocabulary: names to look for; the assembly's own by default.
            task: "panoptic" (no overlaps), "instance" (things, ranked) or "semantic" (a class a pixel).
            stuff: names of the vocabulary that are not countable; their segments are merged.
            thresholds: when a query counts; the assembly's own by default.
        """
        check_task(task)
        names = self._names(vocabulary, needed=True)
        scene = self.encode(image)
        limits = thresholds or self.thresholds
        uncountable = find_names(stuff, names)
        asked = self._embed(names, background=True)
        rows = decode_everything(self.network, self._look_closer(scene), asked, self.runtime)
        full = Enlarged(rows, scene)
        if task == "semantic":
            result = present_semantic(scene, *semantic_map(rows, scene.grid, scene.padded), names)
        elif task == "instance":
            result = present_segments(scene, instances(rows, full, limits, uncountable), names, task)
        else:
            result = present_panoptic(scene, *panoptic(rows, full, limits, uncountable), names, uncountable)
        return self.hooks.after_predict(result) if self.hooks else result

    def session(self, image: ImageSource, *, vocabulary: Sequence[str] | None = None) -> Session:
        """A conversation about one image: rounds, memory, undo. The image is encoded once, here."""
        from seemkit.session import Session

        return Session(self, self.encode(image), vocabulary=vocabulary)

    def track(
        self,
        frames: Iterator[ImageSource] | Sequence[ImageSource],
        objects: Mapping[str, Sequence[Prompt] | Prompt],
        *,
        vocabulary: Sequence[str] | None = None,
        memory: bool = True,
    ) -> Iterator[Result]:
        """Follow objects through frames: prompts on the first, its masks as references for the rest."""
        from seemkit.pipeline.track import track

        return track(self, frames, objects, vocabulary=vocabulary, memory=memory)

    def replaying(self, draws: Draws) -> Replayed:
        """This model, for one thread, but legacy options draw from a record, of which a ``with`` block uses all."""
        from seemkit.pipeline.replayed import Replayed

        return Replayed(self, draws)

    # What the rooms of the pipeline use

    def prepare(self, scene: Scene) -> PreparedScene:
        """What the decoder makes of a scene, kept until the weights change or others push it out."""
        self._check_scene(scene)
        return self._prepare(scene)

    def _prepare(self, scene: Scene) -> PreparedScene:
        # Two scenes of one image may differ by rounding, so the cache goes by the object, and holds it.
        key = (id(scene), weights_version(self.network.decoder))

        def make() -> tuple[Scene, PreparedScene]:
            return scene, self.runtime.prepare(self.network, scene.levels, scene.fine, scene.meaning)

        with torch.no_grad():
            return self._prepared.get(key, make)[1]

    def _look_closer(self, scene: Scene) -> PreparedScene:
        """What `_prepare` gives, with what names are read from by a closer look, if the network takes one."""
        nearness, photo = self.network.nearness, scene.photo
        if not nearness:
            return self._prepare(scene)
        height, width = (nearness * side for side in scene.grid.size)
        if photo is None or photo.shape != (3, height, width):
            wanted = f"photo of {width} x {height} pixels that names are read from"
            raise SceneError(f"the scene lacks the {wanted}; encode the image again")
        key = (id(scene), weights_version(self.network.decoder), "closer")

        def make() -> tuple[Scene, PreparedScene]:
            image = self.preprocess.normalise(photo.movedim(0, -1).numpy(), nearness)
            return scene, self.runtime.look_closer(self.network, self._prepare(scene), image)

        with torch.no_grad():
            return self._prepared.get(key, make)[1]

    def label(self, states: Tensor, names: Sequence[str]) -> Tensor:
        """Probabilities (N, K) of names for class embeddings (N, D)."""
        return name_logits(self.network, states, self._embed(names)).softmax(-1)

    @torch.no_grad()
    def _answer(
        self, scene: Scene, prompts: Sequence[Prompt], select: Select, memory: Memory, named: bool
    ) -> list[Answer]:
        draws = self._replayed or seeded_draws(self.network, scene, prompts, bool(memory))
        context = self._context(scene, draws, named)
        objects = gather(prompts, scene.size)
        if not self.allow_untrained:
            refuse_untrained(prompts, self._parts, self.network.untrained)
        return answer_objects(objects, context, self.policy, select, memory)

    def _context(self, scene: Scene, draws: Draws | None = None, named: bool = False) -> Context:
        """What prompts of a scene, which `encode` has checked, are encoded with."""
        return Context(
            network=self.network,
            scene=scene,
            prepared=self._prepare(scene),
            encode=self._encode_reference,
            prepare=self.prepare,
            look_closer=partial(self._look_closer, scene),
            texts=self._phrases,
            part_of=partial(learned_part, self.network, self._parts),
            weights=lambda: self.row_fingerprint,
            named=named,
            draws=draws,
            runtime=self.runtime,
        )

    def _encode_reference(self, image: ImageSource) -> Scene:
        """As `encode`, but an image seen lately is not encoded again: rounds ask for the same one."""
        if isinstance(image, Scene):
            return self.encode(image)
        pixels = load_image(image)
        key = (hash_pixels(pixels), self.encoder_fingerprint)
        return self._references.get(key, lambda: self.encode(pixels))

    def _phrases(self, texts: Sequence[str]) -> list[Phrase]:
        version = weights_version(self.network.text_encoder)
        with torch.no_grad():
            return [self._texts.get((text, version), partial(self._encode_text, text)) for text in texts]

    def _encode_text(self, text: str) -> Phrase:
        return self.network.encode_texts([text])[0]

    def _embed(self, names: Sequence[str], *, background: bool = False) -> Tensor | NameEmbeddings:
        return self._vocabularies.embed(names, background=background)

    def _names(self, vocabulary: Sequence[str] | None, *, needed: bool = False) -> Vocabulary | tuple[()]:
        if vocabulary is not None or (self.vocabulary is None and needed):
            return as_vocabulary(() if vocabulary is None else vocabulary)
        return self.vocabulary or ()

    def _check_scene(self, scene: Scene) -> None:
        if scene.encoder != self.encoder_fingerprint:
            raise SceneError(
                f"the scene ({scene.fingerprint[:12]}) was made by another encoder or preprocessing than "
                "this model's; encode the image again"
            )

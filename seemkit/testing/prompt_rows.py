"""Checks of what a token prompt brings: rows and anchors that fit, on the right device, from untouched inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from seemkit.prompting.context import Dims, EncodeContext
from seemkit.prompting.prompt import Prompt, TokenPrompt
from seemkit.prompting.rows import Anchor, Encoded, Group, Phrase
from seemkit.testing.bench import model_for, scene_for
from seemkit.testing.contract import check
from seemkit.testing.prompt_case import PromptCase
from seemkit.testing.violation import demand, fail, skip

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from seemkit.concept_file import ConceptFile
    from seemkit.scene import ImageSource, Scene

__all__ = ["PromptRowChecks"]

MOST_ROWS = 4096


class PromptRowChecks(PromptCase):
    """A token prompt encodes itself to groups of rows and anchors."""

    @check(
        "A token prompt encodes to rows (T, C) and anchors (C,) or (D,) of the model's widths, all finite",
        why="One row that is not a number makes the whole answer none.",
        mend="take the widths from context.dims, and bring texts to rows by context.phrase_rows",
    )
    def test_rows_and_anchors_fit_the_model(self) -> None:
        from seemkit.pipeline.encoded import check_encoded

        prompt, model = self.token(), model_for(self.prompt)
        context = model._context(scene_for(self.prompt)).of(prompt)
        encoded = check_encoded(prompt.encode(context), prompt, model.network, context.prepared)
        demand(encoded.answers, "gave no anchor, so that nothing could choose its answer")
        for tensor in tensors_of(encoded):
            demand(tensor.is_floating_point(), f"gave rows or an anchor of {tensor.dtype}")
            demand(tensor.isfinite().all(), "gave rows or an anchor with NaN or infinity")
        rows = sum(x.shape[0] for group in encoded.groups for x in contents_of(group)[:1])
        demand(rows <= MOST_ROWS, f"gave {rows} rows, and attention pays for each")

    @check(
        "A token prompt that excludes gives anchors that exclude, and none that includes",
        why="Exclusion acts in the choice of the answer, by the sign of the anchor.",
        mend="give every Anchor self.include",
    )
    def test_an_exclusion_gives_anchors_that_exclude(self) -> None:
        prompt = self.token()
        if not self.prompt.excludes:
            skip("it cannot be excluded")
        without = prompt.model_copy(update={"include": False})
        context = model_for(self.prompt)._context(scene_for(self.prompt)).of(without)
        signs = [anchor.include for anchor in without.encode(context).answers]
        demand(signs, "gave no anchor when it excluded")
        demand(not any(signs), "gave an anchor that includes when it excluded")

    @check(
        "Encoding leaves the phrases that the context gives as they are",
        why="They are cached and shared with every other prompt and with the vocabulary.",
        mend="work on copies: no operation that ends in '_' on what context.text() returned",
    )
    def test_phrases_are_left_as_they_are(self) -> None:
        prompt = self.token()
        context = model_for(self.prompt)._context(scene_for(self.prompt)).of(prompt)
        given: list[tuple[Tensor, Tensor]] = []

        def recorded(texts: Sequence[str]) -> list[Phrase]:
            phrases = [Phrase(p.tokens.clone(), p.embedding.clone()) for p in context.texts(texts)]
            given.extend((x, x.clone()) for p in phrases for x in (p.tokens, p.embedding))
            return phrases

        prompt.encode(replace(context, texts=recorded))
        if not given:
            skip("it asks for no phrase")
        demand(all(now.equal(before) for now, before in given), "changed a phrase that the context gave it")

    @check(
        "Rows and anchors are made on the device of the model",
        why="What is made on the CPU fails beside weights on a GPU. Without a GPU this is seen on torch's meta device.",
        mend="make tensors from ones that the context gave (x.new_zeros, device=x.device), never from nothing",
    )
    def test_rows_are_made_on_the_device_of_the_model(self) -> None:
        import torch

        prompt = self.token()
        device = "cuda" if torch.cuda.is_available() else "meta"
        context = StubContext(self.prompt, scene_for(self.prompt), device=device)
        try:
            encoded = prompt.encode(cast(EncodeContext, context))
        except (RuntimeError, NotImplementedError) as error:
            if "same device" in str(error) or "expected device" in str(error).lower():
                fail("mixed tensors of the CPU with those of the model")
            if device == "cuda":
                raise
            skip("its encode() looks at values, which torch's meta device does not have, and there is no GPU")
        devices = {x.device.type for x in tensors_of(encoded)}
        demand(
            devices <= {device}, f"gave tensors on {', '.join(sorted(devices))} to a model on another device"
        )

    @check(
        "Rows and anchors follow the precision of the model",
        why="A model in half or double precision refuses rows of another.",
        mend="make tensors from ones that the context gave, and name no dtype",
    )
    def test_rows_follow_the_precision_of_the_model(self) -> None:
        import torch

        prompt = self.token()
        context = StubContext(self.prompt, scene_for(self.prompt), device="cpu", dtype=torch.float64)
        encoded = prompt.encode(cast(EncodeContext, context))
        wrong = {str(x.dtype) for g in encoded.groups for x in contents_of(g) if x.dtype != torch.float64}
        demand(not wrong, f"gave rows of {', '.join(sorted(wrong))} to a model of torch.float64")


def contents_of(group: Group) -> tuple[Tensor, ...]:
    """The rows of a group, one tensor for each level if they are made anew."""
    return group.content if isinstance(group.content, tuple) else (group.content,)


def tensors_of(encoded: Encoded) -> list[Tensor]:
    """Every tensor of rows, positions and anchors."""
    found = [x for group in encoded.groups for x in contents_of(group)]
    for group in encoded.groups:
        position = group.position
        found += [] if position is None else position if isinstance(position, tuple) else [position]
    return found + [anchor.vector for anchor in encoded.answers if anchor.vector is not None]


class StubContext:
    """An encoding context of random tensors, on any device and of any precision; no model is behind it."""

    def __init__(
        self, kind: type[Prompt], scene: Scene, device: str = "meta", dtype: torch.dtype | None = None
    ) -> None:
        self.dims = Dims(96, 128)
        self.device, self.dtype = device, dtype
        to = [x.to(device, dtype) for x in (*scene.levels, scene.fine)]
        self.scene = replace(scene, levels=(to[0], to[1], to[2]), fine=to[3])
        module = kind.build(self.dims) if issubclass(kind, TokenPrompt) else None
        self.module: nn.Module | None = None if module is None else module.to(device, dtype).eval()

    def text(self, texts: Sequence[str]) -> list[Phrase]:
        """Three tokens for each text."""
        return [Phrase(self._random(3, self.dims.text), self._random(self.dims.text)) for _ in texts]

    def phrase_rows(self, tokens: Tensor) -> Tensor:
        """(T, D) to (T, C)."""
        return tokens.new_ones(tokens.shape[0], self.dims.channels)

    def reference(self, image: ImageSource, prompts: Sequence[Prompt], include: bool = True) -> Encoded:
        """Four rows at each level and an anchor."""
        del image, prompts
        rows = tuple(self._random(4, self.dims.channels) for _ in range(self.dims.levels))
        groups = (Group("reference", rows, rows, persist=False),) if include else ()
        return Encoded(groups, (Anchor("mask", self._random(self.dims.channels), "reference", include),))

    def concept(self, concept: ConceptFile, include: bool = True) -> Encoded:
        """As a reference."""
        del concept
        return self.reference("", (), include)

    def memory(self, mask: Tensor) -> Encoded:
        """Four rows and an anchor."""
        rows = self._random(4, self.dims.channels)
        group = Group("memory", rows, rows, attends=self._random(*self.scene.fine.shape[-2:]))
        return Encoded((group,), (Anchor("mask", rows[0], "memory", fallback=True),))

    def _random(self, *shape: int) -> Tensor:
        import torch

        return torch.randn(*shape, device=self.device, dtype=self.dtype)

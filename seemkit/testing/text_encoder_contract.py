"""The contract of text encoders, and its checks without pytest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter
from typing import TYPE_CHECKING, Any, ClassVar, cast

from seemkit.prompting.rows import Phrase
from seemkit.testing.component_case import ComponentChecks
from seemkit.testing.contract import check, named
from seemkit.testing.module_checks import gap
from seemkit.testing.report import Report
from seemkit.testing.violation import demand, fail, skip

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["TextEncoderContract", "check_text_encoder"]

CLOSE = 1e-4
"""Relative to the largest value: what other texts in the batch may change in float32."""
TEXTS = ("a dog", "the second largest of three dogs, asleep on a red sofa", "sky", "a man in a blue coat")
ODD = {
    "of many scripts": "ein größerer Hund, 狗, собака, كلب, กา",
    "of emoji": "🐕 👩‍👩‍👧 🇯🇵",
    "of control characters": "a\x00b\x07\u200b\ufeff\u202e dog",
    "of line breaks": "a\ndog\r\n\ton a sofa",
    "of half a surrogate pair": "dog \ud83d",
    "of braces": "{} {0} %s {dog}",
}
MOST_TOKENS = 4096


class TextEncoderContract(ComponentChecks):
    """What every text encoder is held to; a subclass in a test file names it as ``text_encoder``.

    Attributes:
        text_encoder: the object behind the entry point.
        options: to build it with; choose small ones.
    """

    kind: ClassVar[str] = "text_encoders"
    text_encoder: ClassVar[Any]

    @classmethod
    def component(cls) -> object:
        """The text encoder."""
        return named(cls, "text_encoder")

    def outputs(self, module: nn.Module) -> list[Tensor]:
        """Tokens and embeddings of a few texts."""
        return [x for phrase in encode(module, TEXTS) for x in (phrase.tokens, phrase.embedding)]

    def between(self, module: nn.Module) -> None:
        """Tokens and embeddings of other texts."""
        encode(module, ["something else", "", TEXTS[0]])

    @check(
        "The declared width, the module's dim and the width of what it gives are the same",
        why="The rest of the model is built for what is declared.",
        mend="return from declare(options) what the built module has as 'dim'",
    )
    def test_the_width_is_as_declared(self) -> None:
        declared, module = self.text_encoder.declare(self.settings()), self.build()
        demand(isinstance(declared, int) and declared > 0, f"declared the width {declared!r}")
        built = getattr(module, "dim", None)
        demand(built == declared, f"built a module with dim={built!r}, where it declared {declared}")
        widths = {x.shape[-1] for x in self.outputs(module)}
        demand(widths == {declared}, f"gave tensors of width {sorted(widths)}, where it declared {declared}")

    @check(
        "Each text gives a Phrase of tokens (T, D), T at least 1, and an embedding (D,), in floating point",
        why="Tokens become rows, and the embedding is the anchor that chooses.",
        mend="return [Phrase(tokens=..., embedding=...)], one for each text, without padding",
    )
    def test_each_text_is_a_phrase(self) -> None:
        phrases = encode(self.build(), TEXTS)
        demand(len(phrases) == len(TEXTS), f"gave {len(phrases)} phrases for {len(TEXTS)} texts")
        for phrase in phrases:
            if not isinstance(phrase, Phrase):
                fail(f"gave a {type(phrase).__name__} where a Phrase was expected")
            right = phrase.tokens.ndim == 2 and phrase.tokens.shape[0] >= 1 and phrase.embedding.ndim == 1
            shapes = f"{tuple(phrase.tokens.shape)} and {tuple(phrase.embedding.shape)}"
            demand(right, f"gave tokens and embedding of the shapes {shapes}")
            floats = phrase.tokens.is_floating_point() and phrase.embedding.is_floating_point()
            demand(floats, f"gave tokens of {phrase.tokens.dtype}")

    @check(
        "Embeddings are not normalised",
        why="The core normalises where a cosine is wanted; mask decoders read the length too.",
        mend="return the embedding before it is divided by its norm",
    )
    def test_embeddings_are_not_normalised(self) -> None:
        norms = [float(p.embedding.norm()) for p in encode(self.build(), TEXTS)]
        demand(any(abs(n - 1) > 1e-3 for n in norms), "gave embeddings that all have the norm 1")

    @check(
        "Different texts have different embeddings",
        why="An encoder that does not read its text chooses at random.",
        mend="look at whether the tokenizer's ids reach the network, and the embedding is taken at the right token",
    )
    def test_different_texts_differ(self) -> None:
        phrases = encode(self.build(), TEXTS)
        for i, first in enumerate(phrases):
            for j in range(i):
                off = gap(first.embedding, phrases[j].embedding)
                demand(off > 1e-6, f"gave {TEXTS[i]!r} and {TEXTS[j]!r} the same embedding")

    @check(
        "A text is encoded the same alone, among others, in any order and more than once",
        why="Phrases are cached one by one, and vocabularies are encoded whole.",
        mend="mask padding in attention and means, and give results back in the order of the texts",
    )
    def test_other_texts_change_nothing(self) -> None:
        module = self.build()
        alone = [encode(module, [text])[0] for text in TEXTS]
        order = (2, 0, 3, 0, 1)
        together = encode(module, [TEXTS[i] for i in order])
        demand(len(together) == len(order), f"gave {len(together)} phrases for {len(order)} texts")
        for i, phrase in zip(order, together, strict=True):
            off = gap((alone[i].tokens, alone[i].embedding), (phrase.tokens, phrase.embedding))
            demand(off <= CLOSE, f"gave {TEXTS[i]!r} results that differ by {off:.2g} among other texts")

    @check(
        "No text at all gives an empty list",
        why="A request without words is not a mistake.",
        mend="return [] before the tokenizer is asked",
    )
    def test_no_text_gives_nothing(self) -> None:
        found = encode(self.build(), [])
        demand(list(found) == [], f"gave {len(found)} phrases for no text")

    @check(
        "An empty text gives a finite phrase",
        why="Templates and users produce it.",
        mend="let an empty text be the start and end of text, or a token for unknown",
    )
    def test_an_empty_text_is_encoded(self) -> None:
        self._demand_finite({"that is empty": "", "of spaces": "   "})

    @check(
        f"A text of thousands of words gives a finite phrase of at most {MOST_TOKENS} tokens",
        why="Attention pays for each token, and users paste.",
        mend="let the tokenizer cut at the length that the network knows",
    )
    def test_a_long_text_is_cut(self) -> None:
        self._demand_finite({"of 5000 words": "dog " * 5000, "of one long word": "x" * 20_000})

    @check(
        "A text of any characters gives a finite phrase",
        why="People write in their own script, and paste what they find.",
        mend="let the tokenizer map what it does not know to a token for unknown, or to bytes",
    )
    def test_any_characters_are_encoded(self) -> None:
        self._demand_finite(ODD)

    @check(
        "The temperature is a scalar 'logit_scale', the logarithm of a number from 1 to 1000",
        why="Class similarities are cosines times its exponential.",
        mend="register logit_scale as a parameter or buffer of shape (), the logarithm of the temperature",
    )
    def test_the_temperature_is_a_scalar(self) -> None:
        scale = getattr(self.build(), "logit_scale", None)
        if getattr(scale, "shape", None) != ():
            fail(f"has logit_scale {type(scale).__name__} of shape {tuple(getattr(scale, 'shape', ()))}")
        value = float(scale.detach().exp())  # type: ignore[union-attr]
        demand(math.isfinite(value) and 1 <= value <= 1000, f"has a temperature of {value:.3g}")

    @check(
        "A phrase keeps no more memory alive than it has numbers",
        why="Thousands of phrases are cached, and a view keeps its whole batch.",
        mend="clone() what is cut out of a batch",
    )
    def test_a_phrase_keeps_no_batch(self) -> None:
        for phrase in encode(self.build(), [*TEXTS, "dog " * 60] * 2):
            for x in (phrase.tokens, phrase.embedding):
                kept, own = x.untyped_storage().nbytes(), x.numel() * x.element_size()
                demand(kept <= 2 * own + 256, f"kept {kept} bytes alive for a tensor of {own}")

    @check(
        "Templates, where there are some, are sentences with one {} each",
        why="Names of a vocabulary are put into them.",
        mend="write templates such as 'a photo of a {}.', with no other braces",
    )
    def test_templates_take_one_name(self) -> None:
        templates = getattr(self.build(), "templates", None)
        if templates is None:
            skip("it has no templates")
        demand(
            not isinstance(templates, str) and len(templates), "has templates that are no list of sentences"
        )
        for template in templates:
            fields = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
            demand(fields in ([""], ["0"]), f"has the template {template!r}")

    def _demand_finite(self, texts: Mapping[str, str]) -> None:
        module = self.build()
        for what, text in texts.items():
            try:
                (phrase,) = encode(module, [text])
            except Exception as error:  # of the plugin
                fail(f"met a text {what} with {type(error).__name__}: {error}")
            count = phrase.tokens.shape[0]
            demand(1 <= count <= MOST_TOKENS, f"gave {count} tokens for a text {what}")
            finite = phrase.tokens.isfinite().all() and phrase.embedding.isfinite().all()
            demand(finite, f"gave NaN or infinity for a text {what}")


def encode(module: Any, texts: Sequence[str]) -> list[Phrase]:
    """Phrases of texts, without gradients."""
    import torch

    with torch.no_grad():
        phrases: list[Phrase] = module.encode(texts)
    return phrases


def check_text_encoder(
    text_encoder: object, options: Mapping[str, object] | None = None, *, only: Iterable[str] | None = None
) -> Report:
    """Hold a text encoder to the contract, without pytest.

    Args:
        text_encoder: the object behind the entry point.
        options: to build it with; choose small ones.
        only: names of checks to run; by default all.
    """
    members = {"text_encoder": text_encoder, "options": dict(options or {})}
    contract = cast(type[TextEncoderContract], type("Checked", (TextEncoderContract,), members))
    return contract.report(only)

"""For every check of text encoders a plugin that breaks it, and, but for what follows, breaks no other."""

import hashlib
import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import pytest
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from seemkit.api import Phrase
from seemkit.testing import TextEncoderContract, check_text_encoder

DIM = 8


class Encoder(nn.Module):
    """The mean of a learned row for each word, found by a hash."""

    dim = DIM

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(50, DIM)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(10)))

    def tokens(self, text: str) -> Tensor:
        words = text.split()[:77] or [""]
        data = [hashlib.sha256(word.encode("utf-8", "replace")).digest()[0] % 50 for word in words]
        return self.table(torch.tensor(data, device=self.table.weight.device))

    def encode(self, texts: Sequence[str]) -> Any:
        return [Phrase(t, t.mean(0)) for t in map(self.tokens, texts)]


class Sound:
    """A text encoder that keeps the contract."""

    class Options(BaseModel):
        """It has none."""

        model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: ClassVar[type[Encoder]] = Encoder

    @staticmethod
    def declare(options: Any) -> int:
        return DIM

    @classmethod
    def build(cls, options: Any) -> nn.Module:
        return cls.encoder()


class Wide(Sound):
    """A text encoder of another width than it says."""

    @staticmethod
    def declare(options: Any) -> int:
        return DIM + 1


class Padded(Sound):
    """A text encoder that gives a batch."""

    class encoder(Encoder):  # noqa: N801
        def encode(self, texts: Sequence[str]) -> Any:
            return [Phrase(p.tokens, p.embedding[None]) for p in super().encode(texts)]


class Unit(Sound):
    """A text encoder of unit embeddings."""

    class encoder(Encoder):  # noqa: N801
        def encode(self, texts: Sequence[str]) -> Any:
            unit = nn.functional.normalize
            return [Phrase(p.tokens, unit(p.embedding, dim=0)) for p in super().encode(texts)]


class Deaf(Sound):
    """A text encoder that reads the first letter."""

    class encoder(Encoder):  # noqa: N801
        def encode(self, texts: Sequence[str]) -> Any:
            return super().encode([text[:1] for text in texts])


class Averaging(Sound):
    """A text encoder that looks at its neighbours."""

    class encoder(Encoder):  # noqa: N801
        def encode(self, texts: Sequence[str]) -> Any:
            phrases = super().encode(texts)
            if not phrases:
                return phrases
            shared = torch.stack([p.embedding for p in phrases]).mean(0)
            return [Phrase(p.tokens, p.embedding + shared) for p in phrases]


class Needy(Sound):
    """A text encoder that has to be asked something."""

    class encoder(Encoder):  # noqa: N801
        def encode(self, texts: Sequence[str]) -> Any:
            first = texts[0]
            assert isinstance(first, str)
            return super().encode(texts)


class Strict(Sound):
    """A text encoder that wants a word."""

    class encoder(Encoder):  # noqa: N801
        def encode(self, texts: Sequence[str]) -> Any:
            return [
                Phrase(p.tokens / (1 if t.strip() else 0), p.embedding)
                for t, p in zip(texts, super().encode(texts), strict=True)
            ]


class Endless(Sound):
    """A text encoder that cuts nothing."""

    class encoder(Encoder):  # noqa: N801
        def tokens(self, text: str) -> Tensor:
            found = super().tokens(text)
            return found.repeat(len(text.split()), 1) if len(text.split()) > 100 else found


class Western(Sound):
    """A text encoder of Latin letters."""

    class encoder(Encoder):  # noqa: N801
        def tokens(self, text: str) -> Tensor:
            text.encode("latin-1")
            return super().tokens(text)


class Lukewarm(Sound):
    """A text encoder whose temperature is a vector."""

    class encoder(Encoder):  # noqa: N801
        def __init__(self) -> None:
            super().__init__()
            self.logit_scale = nn.Parameter(torch.ones(1))


class Frozen(Sound):
    """A text encoder whose temperature is no logarithm."""

    class encoder(Encoder):  # noqa: N801
        def __init__(self) -> None:
            super().__init__()
            self.logit_scale = nn.Parameter(torch.tensor(14.3))


class Hoarding(Sound):
    """A text encoder that gives views of its batch."""

    class encoder(Encoder):  # noqa: N801
        def encode(self, texts: Sequence[str]) -> Any:
            found = super().encode(texts)
            if not found:
                return found
            batch = torch.cat([p.tokens for p in found])
            pieces = batch.split([p.tokens.shape[0] for p in found])
            return [Phrase(piece, piece.mean(0)) for piece in pieces]


class Chatty(Sound):
    """A text encoder with a template for two names."""

    class encoder(Encoder):  # noqa: N801
        templates = ("a photo of {} and {}",)


class Break(NamedTuple):
    """A broken plugin, the check that it fails, and those that fail with it."""

    encoder: type[Sound]
    check: str


BROKEN = [
    Break(Wide, "test_the_width_is_as_declared"),
    Break(Padded, "test_each_text_is_a_phrase"),
    Break(Unit, "test_embeddings_are_not_normalised"),
    Break(Deaf, "test_different_texts_differ"),
    Break(Averaging, "test_other_texts_change_nothing"),
    Break(Needy, "test_no_text_gives_nothing"),
    Break(Strict, "test_an_empty_text_is_encoded"),
    Break(Endless, "test_a_long_text_is_cut"),
    Break(Western, "test_any_characters_are_encoded"),
    Break(Lukewarm, "test_the_temperature_is_a_scalar"),
    Break(Frozen, "test_the_temperature_is_a_scalar"),
    Break(Hoarding, "test_a_phrase_keeps_no_batch"),
    Break(Chatty, "test_templates_take_one_name"),
]


def test_the_sound_one_passes() -> None:
    report = check_text_encoder(Sound)
    assert report.ok, str(report)
    assert [outcome.name for outcome in report.skipped] == ["test_templates_take_one_name"]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.encoder.__name__)
def test_a_broken_text_encoder_fails_the_check_that_is_for_it(broken: Break) -> None:
    report = check_text_encoder(broken.encoder)
    assert {outcome.name for outcome in report.failed} == {broken.check}, str(report)


def test_every_check_of_texts_has_a_plugin_that_fails_it() -> None:
    """Those of components in general are broken in test_broken_backbones.py."""
    own = {name for name in vars(TextEncoderContract) if name.startswith("test_")}
    assert {broken.check for broken in BROKEN} == own

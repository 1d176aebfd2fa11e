"""What backbones, pixel decoders, mask decoders, text encoders, answer policies and exporters declare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel
    from torch import Tensor, nn

    from seemkit.prompting.rows import Phrase
    from seemkit.result import Result

__all__ = [
    "AnswerPolicy",
    "BackboneComponent",
    "BackboneShape",
    "Evidence",
    "Exporter",
    "ExporterComponent",
    "PixelFeatures",
    "TextEncoder",
    "TextEncoderComponent",
]


@dataclass(frozen=True)
class BackboneShape:
    """What a backbone gives, known before any weight exists.

    Attributes:
        channels: of the four feature maps, finest first.
        strides: of the four feature maps in pixels of the input; the pixel decoders want (4, 8, 16, 32).
        divisor: the input is padded right and bottom to a multiple of this.
        fixed_size: (H, W) if the backbone takes one input size only.
        mean: per-channel mean of the RGB input in [0, 255] that the weights expect; None means ImageNet's.
        std: per-channel standard deviation likewise.
        adapters: what the component puts on top of a model that does not give such maps by itself, and why;
            each a sentence, for ``seemkit plan``.
        closer: channels of the maps of a closer look, which the module's method `closer` gives: an image (B, 3, H, W),
            finer than the input, to maps (B, C_i, h_i, w_i) of any size, for names; empty without such a method.
    """

    channels: tuple[int, int, int, int]
    strides: tuple[int, int, int, int] = (4, 8, 16, 32)
    divisor: int = 32
    fixed_size: tuple[int, int] | None = None
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    adapters: tuple[str, ...] = ()
    closer: tuple[int, ...] = ()


class BackboneComponent(Protocol):
    """The object behind an entry point of ``seemkit.backbones``."""

    Options: type[BaseModel]

    def declare(self, options: BaseModel) -> BackboneShape:
        """Channels and strides, without building weights; raises what does not fit in one sentence."""

    def build(self, options: BaseModel) -> nn.Module:
        """A module whose forward takes (B, 3, H, W) normalised and returns four maps, finest first."""


@dataclass(frozen=True, eq=False)
class PixelFeatures:
    """What a pixel decoder gives.

    Attributes:
        levels: three maps (B, C, h, w) at strides 32, 16 and 8, in this order.
        fine: (B, D, H/4, W/4), which the pixel decoder's `mask_proj` makes mask features of; mask logits are their
            dot products with mask embeddings.
        meaning: (B, M, H/16, W/16) what names are read from, where the pixel decoder makes such a map; else None.
    """

    levels: tuple[Tensor, Tensor, Tensor]
    fine: Tensor
    meaning: Tensor | None = None


class TextEncoder(Protocol):
    """A module that encodes texts into the joint space of texts and class embeddings."""

    @property
    def dim(self) -> int:
        """D, the width of the joint space."""

    @property
    def logit_scale(self) -> Tensor:
        """Scalar: logarithm of the temperature of class similarities."""

    def encode(self, texts: Sequence[str]) -> list[Phrase]:
        """Tokens (T, D) and embedding (D,) of each text, un-normalised; padding is cut."""


class TextEncoderComponent(Protocol):
    """The object behind an entry point of ``seemkit.text_encoders``."""

    Options: type[BaseModel]

    def declare(self, options: BaseModel) -> int:
        """D, without building weights."""

    def build(self, options: BaseModel) -> nn.Module:
        """A module that is a :class:`TextEncoder`."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one anchor says of the candidates of one object.

    Attributes:
        log_probabilities: (Q,) log-softmax over the candidate rows.
        role: where the evidence comes from.
        include: False if the anchor speaks against.
    """

    log_probabilities: Tensor
    role: str
    include: bool


class AnswerPolicy(Protocol):
    """How the row that answers an object is chosen from the evidence of its anchors."""

    def score(self, evidence: Sequence[Evidence]) -> Tensor:
        """(Q,) log-scores of the candidates; the largest answers. Called with at least one include."""


class Exporter(Protocol):
    """Turns a result into files of a format."""

    def export(self, result: Result, path: Path, *, photo: str) -> Sequence[Path]:
        """Write the result, and say which files were written; whole or not at all (`seemkit.api.replacing`).

        Args:
            result: what a model answered.
            path: the file that was asked for; others go beside it.
            photo: what the format calls the photo, such as its file name.

        Raises:
            SeemkitError: the format cannot hold the result, or a file cannot be written.
        """


class ExporterComponent(Protocol):
    """The object behind an entry point of ``seemkit.exporters``.

    Attributes:
        suffixes: what the file may end in, the usual one first; empty takes any.
    """

    Options: type[BaseModel]
    suffixes: tuple[str, ...]

    def build(self, options: BaseModel) -> Exporter:
        """An exporter with these options."""

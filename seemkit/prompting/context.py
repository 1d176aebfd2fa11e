"""What the core hands to a token prompt while it is encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seemkit.concept_file import ConceptFile
    from seemkit.prompting.prompt import Prompt
    from seemkit.prompting.rows import Encoded, Phrase
    from seemkit.scene import ImageSource, Scene

__all__ = ["Dims", "EncodeContext"]


@dataclass(frozen=True)
class Dims:
    """The widths that a learned part of a prompt must fit.

    Attributes:
        channels: C, width of decoder rows and mask embeddings.
        text: D, width of the joint space of texts and class embeddings.
        levels: how many feature levels a row made anew at each layer must offer.
    """

    channels: int
    text: int
    levels: int = 3


class EncodeContext(Protocol):
    """The scene being prompted and the shared encoders a token prompt may use."""

    @property
    def scene(self) -> Scene:
        """The scene that is being prompted."""

    @property
    def dims(self) -> Dims:
        """The widths of this pipeline."""

    @property
    def module(self) -> nn.Module | None:
        """What the prompt type's `build` returned, with its weights; None if it has no learned part."""

    def text(self, texts: Sequence[str]) -> list[Phrase]:
        """Encode texts with the pipeline's text encoder (cached)."""

    def phrase_rows(self, tokens: Tensor) -> Tensor:
        """Bring token states (T, D) of the joint space to the decoder's width (T, C)."""

    def reference(self, image: ImageSource, prompts: Sequence[Prompt], include: bool = True) -> Encoded:
        """Region tokens and anchor of spatial prompts on another image or scene."""

    def concept(self, concept: ConceptFile, include: bool = True) -> Encoded:
        """Region tokens and anchors that were kept in a concept file; refused if other weights made them."""

    def memory(self, mask: Tensor) -> Encoded:
        """The memory rows for an earlier mask: (H, W) bool of the image or (h, w) logits at stride 4."""

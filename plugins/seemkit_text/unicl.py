"""UniCL, the text encoder of every published SEEM model: the CLIP text transformer with LayerNorm eps 1e-12.

Yang et al., "Unified Contrastive Learning in Image-Text-Label Space", CVPR 2022; parameter names below
`transformer.` are those of the published files.
"""

import math
from collections.abc import Sequence

import open_clip
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from seemkit.api import Phrase
from seemkit_text.beginnings import last_states
from seemkit_text.phrases import encode_phrases
from seemkit_text.sentences import TEMPLATES
from seemkit_text.text_transformer import TextTransformer

__all__ = ["UniCL"]


class UniCL:
    """CLIP text transformer as SEEM trained it; the joint space is as wide as the transformer."""

    class Options(BaseModel):
        """Defaults are those of every published SEEM model."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        width: int = Field(512, ge=1, description="channels, and D, the width of the joint space")
        layers: int = Field(12, ge=1, description="transformer blocks")
        heads: int = Field(8, ge=1, description="attention heads of a block; they divide the width")

    @staticmethod
    def declare(options: Options) -> int:
        """D, the width of the joint space; builds nothing."""
        return options.width

    @staticmethod
    def build(options: Options) -> nn.Module:
        """Return the encoder with freshly initialised weights."""
        return UniCLEncoder(options)


class UniCLEncoder(nn.Module):
    """Texts to token states and embeddings in the joint space of texts and class embeddings.

    Attributes:
        templates: sentences that names of a vocabulary go into, as in the published evaluation.
    """

    templates = TEMPLATES

    def __init__(self, options: UniCL.Options) -> None:
        super().__init__()
        self.dim = options.width
        self.transformer = TextTransformer(options.width, options.layers, options.heads)
        self.projection = nn.Parameter(torch.randn(options.width, options.width) * options.width**-0.5)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def encode(self, texts: Sequence[str]) -> list[Phrase]:
        """Tokens (T, D) and embedding (D,) of each text, un-normalised, start and end of text included.

        Texts are lower-cased and cut to 77 tokens by the tokenizer.
        """
        return encode_phrases(texts, open_clip.tokenize, self)

    def embed(self, texts: Sequence[str]) -> Tensor:
        """(N, D) the embeddings that `encode` gives, without its tokens: far quicker for sentences that begin alike."""
        unique = list(dict.fromkeys(texts))
        if not unique:
            return self.projection.new_zeros(0, self.dim)
        ids = open_clip.tokenize(unique)
        lengths = (ids.argmax(dim=1) + 1).tolist()
        sentences = [tuple(line[:n]) for line, n in zip(ids.tolist(), lengths, strict=True)]
        states = last_states(sentences, self.transformer, self.projection.device)
        place = {text: row for row, text in enumerate(unique)}
        return (states @ self.projection)[[place[text] for text in texts]]

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids (B, T) to states in the joint space (B, T, D)."""
        out: Tensor = self.transformer(ids.to(self.projection.device)) @ self.projection
        return out

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
from torch.nn import functional

from seemkit.api import Phrase
from seemkit_text.phrases import encode_phrases

__all__ = ["UniCL"]

VOCABULARY, CONTEXT = 49408, 77  # of CLIP's byte-pair tokenizer


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
    """Texts to token states and embeddings in the joint space of texts and class embeddings."""

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

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids (B, T) to states in the joint space (B, T, D)."""
        out: Tensor = self.transformer(ids.to(self.projection.device)) @ self.projection
        return out


class TextTransformer(nn.Module):
    """Token ids (B, T) to normalised states (B, T, C), each of which depends on what precedes it only."""

    def __init__(self, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(VOCABULARY, width)
        self.positional_embedding = nn.Parameter(torch.randn(CONTEXT, width) * 0.01)
        self.resblocks = nn.ModuleList(ResidualBlock(width, heads, layers) for _ in range(layers))
        self.ln_final = Norm(width)
        nn.init.normal_(self.token_embedding.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) to (B, T, C)."""
        x = self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]]
        for block in self.resblocks:
            x = block(x)
        out: Tensor = self.ln_final(x)
        return out


class ResidualBlock(nn.Module):
    """Causal self-attention and MLP, each normalised before."""

    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.ln_1 = Norm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = Norm(width)
        fc, proj = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.mlp = nn.ModuleDict({"c_fc": fc, "c_proj": proj})
        # as CLIP starts: what adds to the residual stream is damped by the depth
        nn.init.normal_(self.attn.in_proj_weight, std=width**-0.5)
        nn.init.normal_(self.attn.out_proj.weight, std=(2 * width * layers) ** -0.5)
        nn.init.normal_(fc.weight, std=(2 * width) ** -0.5)
        nn.init.normal_(proj.weight, std=(2 * width * layers) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) to the same."""
        x = x + self.attend(self.ln_1(x))
        hidden = self.mlp["c_fc"](self.ln_2(x))
        out: Tensor = x + self.mlp["c_proj"](hidden * torch.sigmoid(1.702 * hidden))  # QuickGELU
        return out

    def attend(self, x: Tensor) -> Tensor:
        """Causal attention with the parameters of `attn`, without building a mask."""
        b, t, c = x.shape
        packed = functional.linear(x, self.attn.in_proj_weight, self.attn.in_proj_bias)
        q, k, v = packed.view(b, t, 3, self.attn.num_heads, -1).permute(
            2, 0, 3, 1, 4
        )  # each B x heads x T x c
        out = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        mixed: Tensor = self.attn.out_proj(out.transpose(1, 2).reshape(b, t, c))
        return mixed


class Norm(nn.LayerNorm):
    """LayerNorm in float32 with an eps of 1e-12, whatever the dtype of its input."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=1e-12)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) to the same, in the dtype of the input."""
        weight, bias = self.weight.float(), self.bias.float()
        return functional.layer_norm(x.float(), self.normalized_shape, weight, bias, self.eps).type_as(x)

"""The CLIP text transformer with LayerNorm eps 1e-12: token ids to states that depend on what precedes them only.

Parameter names are those of the published SEEM files below `transformer.`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Past", "TextTransformer"]

VOCABULARY, CONTEXT = 49408, 77  # of CLIP's byte-pair tokenizer

Past = tuple[Tensor, Tensor]
"""Keys and values (B, heads, T, d) of one block."""


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

    def begin(self, ids: Tensor) -> list[Past]:
        """Keys and values of each block for texts (B, T) that are only begun."""
        x = self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]]
        kept: list[Past] = []
        for block in self.resblocks:
            assert isinstance(block, ResidualBlock)
            query, key, value = block.project(x)
            kept.append((key, value))
            x = block.add(x, functional.scaled_dot_product_attention(query, key, value, is_causal=True))
        return kept

    def go_on(self, ids: Tensor, begun: Tensor, past: list[Past], which: Tensor) -> Tensor:
        """States (B, T, C) of texts whose beginnings are known.

        Args:
            ids: (B, T) what follows the beginnings, padded at the end.
            begun: (B,) how many tokens each beginning has.
            past: keys and values of beginnings, padded at the end, by block.
            which: (B,) the beginning of each text.
        """
        t, device = ids.shape[1], ids.device
        longest = past[0][0].shape[2]
        place = begun[:, None] + torch.arange(t, device=device)
        x = self.token_embedding(ids) + self.positional_embedding[place.clamp(max=CONTEXT - 1)]
        before = torch.arange(longest, device=device) < begun[:, None]  # B x P
        after = torch.ones(t, t, dtype=torch.bool, device=device).tril()
        allowed = torch.cat(
            (before[:, None].expand(-1, t, -1), after.expand(len(ids), -1, -1)), dim=2
        )  # B x T x P + T
        for block, (keys, values) in zip(self.resblocks, past, strict=True):
            assert isinstance(block, ResidualBlock)
            query, key, value = block.project(x)
            key = torch.cat((keys[which], key), dim=2)
            value = torch.cat((values[which], value), dim=2)
            x = block.add(
                x, functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed[:, None])
            )
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
        return self.add(x, functional.scaled_dot_product_attention(*self.project(x), is_causal=True))

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of (B, T, C), each (B, heads, T, d)."""
        b, t, _ = x.shape
        packed = functional.linear(self.ln_1(x), self.attn.in_proj_weight, self.attn.in_proj_bias)
        query, key, value = packed.view(b, t, 3, self.attn.num_heads, -1).permute(2, 0, 3, 1, 4)
        return query, key, value

    def add(self, x: Tensor, read: Tensor) -> Tensor:
        """(B, T, C) plus what attention read (B, heads, T, d), then the MLP."""
        x = x + self.attn.out_proj(read.transpose(1, 2).flatten(2))
        hidden = self.mlp["c_fc"](self.ln_2(x))
        out: Tensor = x + self.mlp["c_proj"](hidden * torch.sigmoid(1.702 * hidden))  # QuickGELU
        return out


class Norm(nn.LayerNorm):
    """LayerNorm in float32 with an eps of 1e-12, whatever the dtype of its input."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=1e-12)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) to the same, in the dtype of the input."""
        weight, bias = self.weight.float(), self.bias.float()
        return functional.layer_norm(x.float(), self.normalized_shape, weight, bias, self.eps).type_as(x)

"""Multi-head attention in separate steps, so that keys and values are projected once a scene."""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Attention", "attend"]


class Attention(nn.Module):
    """Attention with the parameters of ``torch.nn.MultiheadAttention`` and its steps in the open.

    Args:
        dim: C, width of the rows.
        heads: how many heads C is split into.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dim, dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dim))
        self.out_proj = nn.Linear(dim, dim)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Attend: query (N, T, C), key and value (N, S, C), allowed (N, T, S) bool or None; (N, T, C)."""
        if self._pays_to_carry_over(query.shape[1], key.shape[1]):
            return self._carried_over(query, key, value, allowed)
        return self.read(query, self.keys(key), self.values(value), allowed)

    def keys(self, x: Tensor) -> Tensor:
        """(N, S, C) to keys (N, heads, S, C / heads)."""
        return self._project(x, 1)

    def values(self, x: Tensor) -> Tensor:
        """(N, S, C) to values (N, heads, S, C / heads)."""
        return self._project(x, 2)

    def read(self, query: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Attend with keys and values that are projected already; gives (N, T, C).

        Keys and values of one batch entry are read by all N: their rows are then computed as those of one entry,
        which is the same and keeps the processor busier than N small products.
        """
        n, t, c = query.shape
        if len(keys) == 1 < n:
            together = None if allowed is None else allowed.reshape(1, n * t, -1)
            return self.read(query.reshape(1, n * t, c), keys, values, together).view(n, t, c)
        mask = None if allowed is None else allowed.unsqueeze(1)  # N x 1 x T x S
        return self._joined(attend(self._project(query, 0), keys, values, mask))

    def _pays_to_carry_over(self, t: int, s: int) -> bool:
        """Whether T rows that read S others cost less than half the projections if those are not projected."""
        c = self.out_proj.in_features
        return s * c > 2 * t * (c + (self.heads - 1) * s)

    def _carried_over(self, query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None) -> Tensor:
        """What `read` gives, by other products: few readers are brought to the space of many rows, and back.

        q (x W)^T = (q W^T) x^T and p (x W) = (p x) W; the bias of the keys is the same for all that a row reads, and
        that of the values is taken once, as shares add up to one.
        """
        n, s, c = key.shape
        every = (n, self.heads, s, c)
        to_key, to_value = (
            self.in_proj_weight[part * c : (part + 1) * c].view(self.heads, -1, c) for part in (1, 2)
        )
        asked = self._project(query, 0) @ to_key  # N x heads x T x C
        mask = None if allowed is None else allowed.unsqueeze(1)
        scale = (c // self.heads) ** -0.5
        seen = attend(asked, key[:, None].expand(every), value[:, None].expand(every), mask, scale)
        out = seen @ to_value.mT + self.in_proj_bias[2 * c :].view(self.heads, 1, -1)
        if mask is not None:
            out = out.masked_fill(~mask.any(-1, keepdim=True), 0.0)
        return self._joined(out)

    def _joined(self, out: Tensor) -> Tensor:
        """(N, heads, T, C / heads) to (N, T, C)."""
        projected: Tensor = self.out_proj(out.transpose(1, 2).flatten(2))
        return projected

    def _project(self, x: Tensor, part: int) -> Tensor:
        n, t, c = x.shape
        weight = self.in_proj_weight[part * c : (part + 1) * c]
        bias = self.in_proj_bias[part * c : (part + 1) * c]
        return functional.linear(x, weight, bias).view(n, t, self.heads, c // self.heads).transpose(1, 2)


def attend(
    query: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None = None, scale: float | None = None
) -> Tensor:
    """Scaled dot-product attention in which a row that may read nothing gives zeros.

    Args:
        query: (N, heads, T, d).
        keys: (N, heads, S, d).
        values: (N, heads, S, d).
        allowed: (N, 1, T, S) bool, True where a row may read; None allows everything.
        scale: of the products; None for the square root of d, inverted.

    Returns:
        (N, heads, T, d)
    """
    if allowed is None:
        return functional.scaled_dot_product_attention(query, keys, values, scale=scale)
    blind = ~allowed.any(-1, keepdim=True)  # N x 1 x T x 1
    out = functional.scaled_dot_product_attention(query, keys, values, attn_mask=allowed | blind, scale=scale)
    return out.masked_fill(blind, 0.0)

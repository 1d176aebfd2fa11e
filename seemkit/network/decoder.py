"""The mask decoder: groups of rows read the image and each other by the rules of a preset.

It knows roles, owners and rules; it knows no prompt type. Sources: Zou et al., SEEM, NeurIPS 2023, section 3;
Cheng et al., Mask2Former, CVPR 2022 (masked attention).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from seemkit.errors import SeemkitError
from seemkit.network.heads import Heads
from seemkit.network.layer import DecoderLayer
from seemkit.network.legacy import Legacy, hand_on, keep_owners
from seemkit.network.mask_features import MaskFeatures
from seemkit.network.position import sine_position
from seemkit.network.precision import full_precision
from seemkit.network.prepared import PreparedScene
from seemkit.network.presets import PRESETS, Preset
from seemkit.network.resampling import resize_features
from seemkit.network.rows import RowBatch

__all__ = ["Decoded", "MaskDecoder", "Seem"]

LEVELS = 3


class Seem:
    """The SEEM mask decoder; v0, v1, demo and nano are presets of it."""

    class Options(BaseModel):
        """Defaults are those of every published SEEM model."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        preset: Literal["seem_v0", "seem_v1", "seem_demo", "nano"] = Field(
            "seem_v1", description="rules, query policy and temperatures"
        )
        heads: int = Field(8, ge=1, description="attention heads of a layer")
        ffn: int = Field(2048, ge=1, description="hidden width of a layer's feed-forward part")
        layers: int = Field(9, ge=1, description="decoder layers; layer i reads feature level i mod 3")
        queries: int = Field(101, ge=1, description="object queries")
        candidates: int | None = Field(None, ge=1, description="object queries copied for a prompted object")
        memory_rows: int = Field(32, ge=1, description="memory rows of an object")
        outline: int = Field(
            0, ge=0, multiple_of=8, description="channels of the convolutions that draw outlines; 0 for none"
        )
        legacy: Legacy = Field(Legacy(), description="what the original draws at random; nothing by default")

        @model_validator(mode="after")
        def check_candidates(self) -> "Seem.Options":
            """No more candidates than there are queries."""
            if self.candidates is not None and self.candidates > self.queries:
                raise ValueError(f"candidates {self.candidates} are more than the {self.queries} queries")
            return self

    @staticmethod
    def build(options: Options, dim: int) -> "MaskDecoder":
        """A decoder for feature maps of `dim` channels."""
        if dim % options.heads or dim % 4:
            raise ValueError(f"the seem mask decoder cannot split {dim} channels into {options.heads} heads")
        preset = PRESETS[options.preset]
        if options.legacy.together and preset.guided:
            raise ValueError(f"the preset {options.preset!r} has no legacy options; the published ones have")
        if options.legacy.queries is not None and preset.query_policy != "sampled":
            raise ValueError(
                f"the preset {options.preset!r} gives each object all queries and draws none; leave "
                "legacy.queries out, or take 'seem_v1'"
            )
        return MaskDecoder(options, dim)


@dataclass(frozen=True, eq=False)
class Decoded:
    """What the decoder says of N objects.

    Attributes:
        queries: (N, Q, C) normalised states of the candidate rows after the last layer.
        mask_embeddings: (N, Q, C).
        heads: with `every_head`, the normalised states (N, Q, C) before each layer and after the last.
        bias: (N, h, w) logits at stride 4 that every mask of an object has on top; None for none.
    """

    queries: Tensor
    mask_embeddings: Tensor
    heads: tuple[Tensor, ...] = ()
    bias: Tensor | None = None

    def masks(self, scene: PreparedScene, embeddings: Tensor) -> Tensor:
        """Mask logits (N, K, h, w) at stride 4 of mask embeddings (N, K, C) of the N objects."""
        logits = scene.mask_features.dot(embeddings)
        return logits if self.bias is None else logits + self.bias[:, None]


class ObjectQueries(nn.Module):
    """Content and position (Q, C) of the object queries."""

    def __init__(self, queries: int, dim: int) -> None:
        super().__init__()
        self.content = nn.Parameter(torch.randn(queries, dim))
        self.position = nn.Parameter(torch.randn(queries, dim))


class MaskDecoder(nn.Module):
    """The decoder with its learned rows."""

    def __init__(self, options: Seem.Options, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.options = options
        self.preset: Preset = PRESETS[options.preset]
        self.layers = nn.ModuleList(
            DecoderLayer(dim, options.heads, options.ffn) for _ in range(options.layers)
        )
        self.level_embed = nn.Parameter(torch.randn(LEVELS, dim))
        self.queries = nn.ModuleDict({"object": ObjectQueries(options.queries, dim)})
        if self.preset.mask_position:
            self.mask_position = nn.Linear(dim, dim, bias=False)
            nn.init.zeros_(self.mask_position.weight)

    def prepare(
        self, levels: Sequence[Tensor], mask_features: MaskFeatures, meaning: Tensor | None = None
    ) -> PreparedScene:
        """Do the per-scene work once.

        Args:
            levels: three maps (B, C, h, w) at strides 32, 16 and 8.
            mask_features: at stride 4.
            meaning: (B, M, h, w) at stride 16, which is handed on; None for none.
        """
        c = mask_features.channels
        if self.preset.mask_position:
            height, width = mask_features.size
            with full_precision(levels[0].device):
                term = self.mask_position(sine_position(c, height, width, levels[0]).flatten(1).T)
            mask_features = MaskFeatures(mask_features.whole + term.T.view(c, height, width))
        kept = levels[0].dtype
        placed = [x + self.level_embed[i][:, None, None] for i, x in enumerate(levels)]
        rows = [x.flatten(2).transpose(1, 2) for x in placed]  # B x hw x C
        positions = [sine_position(c, x.shape[-2], x.shape[-1], x).flatten(1).T for x in placed]  # hw x C
        keys, values = [], []
        for i, layer in enumerate(self._each_layer()):
            level = i % LEVELS  # contiguous: every round reads them head by head
            keys.append(layer.cross_attn.keys(rows[level] + positions[level]).contiguous())
            values.append(layer.cross_attn.values(rows[level]).contiguous())
        sizes = [(x.shape[-2], x.shape[-1]) for x in placed]
        small = tuple(x.to(kept) for x in mask_features.resized(sizes))
        return PreparedScene(
            tuple(x.to(kept) for x in placed), mask_features, small, tuple(keys), tuple(values), meaning
        )

    def object_queries(self, count: int | None = None) -> tuple[Tensor, Tensor]:
        """Content and position (Q, C) of the first `count` object queries; None for all."""
        table = cast(ObjectQueries, self.queries["object"])
        return table.content[:count], table.position[:count]

    def forward(
        self,
        scene: PreparedScene,
        rows: Sequence[RowBatch],
        heads: Heads,
        *,
        bias: Tensor | None = None,
        every_head: bool = False,
    ) -> Decoded:
        """Decode N objects (B * n, scene by scene), whose rows lie side by side and never meet.

        Args:
            scene: what `prepare` gave for B scenes.
            rows: groups of rows; those of a role that crosses and is not limited by `attends` are candidates.
            heads: the prediction heads.
            bias: (N, h, w) logits at stride 4 that every mask of an object has on top.
            every_head: keep the states before each layer too, for deep supervision.
        """
        wiring = Wiring(rows, self.preset)
        x, position = wiring.content, wiring.position
        n, crossing, candidates = x.shape[0], wiring.crossing, wiring.candidates
        states = [heads.norm(x[:, :candidates])]
        for i, layer in enumerate(self._each_layer()):
            level = i % LEVELS
            allowed = self._masked_attention(scene, heads.mask_embedding(states[-1]), wiring, level, bias)
            seen = layer.look(
                x[:, :crossing],
                position[:, :crossing],
                scene.spread(scene.keys[i], n),
                scene.spread(scene.values[i], n),
                allowed,
            )
            x = torch.cat((seen, x[:, crossing:]), dim=1)
            extra, extra_position = wiring.extra(level)
            x = layer.think(layer.talk(x, position, extra, extra_position, wiring.reading(i, level)))
            x = wiring.passed_on(i, x)
            states.append(heads.norm(x[:, :candidates]))
        kept = tuple(states) if every_head else ()
        with full_precision(x.device):  # what masks are dotted with
            return Decoded(states[-1], heads.mask_embedding(states[-1]), kept, bias)

    def _masked_attention(
        self, scene: PreparedScene, embeddings: Tensor, wiring: "Wiring", level: int, bias: Tensor | None
    ) -> Tensor:
        """Where crossing rows may look (N, R, hw): where their mask is not negative, or anywhere."""
        with torch.no_grad():
            logits = scene.small_logits(level, embeddings.detach())  # N x Q x h x w
            size = (logits.shape[-2], logits.shape[-1])
            if bias is not None:
                logits = logits + resize_features(bias[:, None], size)
            for group in wiring.limited:
                assert group.attends is not None
                resized = resize_features(group.attends[:, None], size)
                logits = torch.cat((logits, resized.expand(-1, group.length, -1, -1)), dim=1)
            allowed = logits.flatten(2) >= 0
            return allowed | ~allowed.any(-1, keepdim=True)

    def _each_layer(self) -> list[DecoderLayer]:
        return [cast(DecoderLayer, layer) for layer in self.layers]


class Wiring:
    """The rows of one call in order (candidates, limited, other readers, keys only) and who reads whom."""

    def __init__(self, rows: Sequence[RowBatch], preset: Preset) -> None:
        crossing = [g for g in rows if not g.anew and g.role.split(".")[0] in preset.crosses]
        free = [g for g in crossing if g.attends is None]
        self.limited = [g for g in crossing if g.attends is not None]
        others = [g for g in rows if not g.anew and g not in crossing]
        self._anew = [g for g in rows if g.anew]
        readers = free + self.limited + others
        if not free:
            raise ValueError("a decoder call needs at least one group of queries")
        self.content = torch.cat([g.at(0)[0] for g in readers], dim=1)
        self.position = torch.cat([g.at(0)[1] for g in readers], dim=1)
        self.candidates = sum(g.length for g in free)
        self.crossing = sum(g.length for g in crossing)
        vary = any(isinstance(g.padding, tuple) for g in self._anew)
        self.allowed_at = [
            _allowed(readers, readers + self._anew, preset, level) for level in range(LEVELS if vary else 1)
        ]
        self._owners = next((g.owners for g in self.limited if g.owners is not None), None)
        self._owned = slice(self.candidates, self.crossing)
        if self._owners is not None and len(self.limited) > 1:
            raise SeemkitError(
                "an object has two memories, with drawn_memory it can have one", path="prompts"
            )

    def reading(self, layer: int, level: int) -> Tensor | None:
        """(N, R, S) bool: who reads whom in a layer; None if every row may read all."""
        allowed = self.allowed_at[level % len(self.allowed_at)]
        if self._owners is None:
            return allowed
        return keep_owners(allowed, self._owned, self._owners[layer], len(self.content))

    def passed_on(self, layer: int, x: Tensor) -> Tensor:
        """Rows (N, R, C) after a layer: objects that share memory rows agree on them."""
        return x if self._owners is None else hand_on(x, self._owned, self._owners[layer])

    def extra(self, level: int) -> tuple[Tensor, Tensor] | tuple[None, None]:
        """Content and position (N, S, C) of the rows that are made anew at this level."""
        if not self._anew:
            return None, None
        pairs = [g.at(level) for g in self._anew]
        return torch.cat([c for c, _ in pairs], dim=1), torch.cat([p for _, p in pairs], dim=1)


def _allowed(
    readers: Sequence[RowBatch], sources: Sequence[RowBatch], preset: Preset, level: int = 0
) -> Tensor | None:
    """(N, R, S) bool: True where a row may read another; None if every row may read all."""
    first = readers[0].at(0)[0]
    n, device = first.shape[0], first.device
    blocks, all_open = [], True
    for reader in readers:
        line = []
        for source in sources:
            block = torch.zeros(n, reader.length, source.length, dtype=torch.bool, device=device)
            if preset.reads(reader.role, source.role):
                missing = source.missing(level)
                block[:] = True if missing is None else ~missing[:, None, :]
                all_open &= missing is None
            else:
                all_open = False
            line.append(block)
        blocks.append(torch.cat(line, dim=2))
    return None if all_open else torch.cat(blocks, dim=1)

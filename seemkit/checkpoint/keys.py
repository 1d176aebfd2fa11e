"""Parameter names and shapes of the published SEEM and X-Decoder files, and ours, in both directions."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

from seemkit.errors import WeightsError

__all__ = [
    "Family",
    "guess_family",
    "is_ignorable",
    "needs_no_place",
    "shape_to_ours",
    "shape_to_theirs",
    "to_ours",
    "to_theirs",
]

Family = Literal["focal", "focal_large", "davit", "sam_vit"]
"""Backbone family of a published file; every other part is named alike in all of them."""

IGNORABLE = r"dilation_kernel|criterion\.empty_weight|(.+\.)?self_attn_mask"
"""Buffers that hold nothing learned, as a pattern."""
XDECODER_ONLY = ("backbone_proj",)
"""What only X-Decoder computes with; a SEEM file may hold it nevertheless."""

PIXEL, HEAD = "sem_seg_head.pixel_decoder", "sem_seg_head.predictor"

# In a rule {i} and {j} stand for a number, {w} for weight or bias, {rest} for anything; the first match wins,
# both ways. Matrices that the original multiplies from the right (class_embed, mask_sptial_embed, lang_proj)
# stay as they are.
PIXEL_DECODER = [
    *(
        (f"{PIXEL}.{theirs}_{k + 1}.{tail}", f"pixel_decoder.{ours}.{k}.{end}")
        for theirs, ours, count in (("adapter", "lateral", 3), ("layer", "output", 4))
        for k in range(count)
        for tail, end in (("weight", "conv.weight"), ("norm.{w}", "norm.{w}"))
    ),
    (f"{PIXEL}.input_proj.{{rest}}", "pixel_decoder.in_proj.{rest}"),
    (f"{PIXEL}.transformer.encoder.layers.{{i}}.{{rest}}", "pixel_decoder.encoder.{i}.{rest}"),
    (f"{PIXEL}.transformer.level_embed", "pixel_decoder.level_embed"),
    (f"{PIXEL}.mask_features.{{w}}", "pixel_decoder.mask_proj.{w}"),
]
TEXT_ENCODER = [
    (f"{HEAD}.lang_encoder.lang_encoder.{{rest}}", "text_encoder.transformer.{rest}"),
    (f"{HEAD}.lang_encoder.lang_proj", "text_encoder.projection"),
    (f"{HEAD}.lang_encoder.logit_scale", "text_encoder.logit_scale"),
]
CROSS, SELF, FFN = (
    f"{HEAD}.transformer_{kind}_layers.{{i}}" for kind in ("cross_attention", "self_attention", "ffn")
)
MASK_DECODER = [
    (f"{CROSS}.multihead_attn.{{rest}}", "decoder.layers.{i}.cross_attn.{rest}"),
    (f"{CROSS}.norm.{{w}}", "decoder.layers.{i}.cross_norm.{w}"),
    (f"{SELF}.self_attn.{{rest}}", "decoder.layers.{i}.self_attn.{rest}"),
    (f"{SELF}.norm.{{w}}", "decoder.layers.{i}.self_norm.{w}"),
    (f"{FFN}.linear1.{{w}}", "decoder.layers.{i}.ffn.fc1.{w}"),
    (f"{FFN}.linear2.{{w}}", "decoder.layers.{i}.ffn.fc2.{w}"),
    (f"{FFN}.norm.{{w}}", "decoder.layers.{i}.ffn_norm.{w}"),
    (f"{HEAD}.level_embed.weight", "decoder.level_embed"),
    (f"{HEAD}.query_feat.weight", "decoder.queries.object.content"),
    (f"{HEAD}.query_embed.weight", "decoder.queries.object.position"),
    (f"{HEAD}.decoder_norm.{{w}}", "heads.norm.{w}"),
    (f"{HEAD}.class_embed", "heads.class_proj"),
    (f"{HEAD}.mask_embed.layers.{{i}}.{{w}}", "heads.mask_mlp.{i}.{w}"),
]
PROMPTS = [
    (f"{HEAD}.mask_sptial_embed.{{i}}", "prompts.region.level_proj.{i}"),
    (f"{HEAD}.pn_indicator.weight", "prompts.region.sign_embed"),
    (f"{HEAD}.spatial_featured.weight", "prompts.memory.content"),
    (f"{HEAD}.spatial_embed.weight", "prompts.memory.position"),
    (f"{HEAD}.caping_embed", "prompts.caption.proj"),
    (f"{HEAD}.pos_embed_caping.weight", "prompts.caption.position"),
    ("backbone_proj", "image_proj"),
]
IMAGE_ENCODER: dict[Family, list[tuple[str, str]]] = {
    "focal": [
        ("backbone.norm{i}.{w}", "image_encoder.out_norms.{i}.{w}"),
        ("backbone.{rest}", "image_encoder.{rest}"),
    ],
    "focal_large": [  # ours are timm's names, but for `out_norms`
        ("backbone.norm{i}.{w}", "image_encoder.out_norms.{i}.{w}"),
        ("backbone.patch_embed.{rest}", "image_encoder.stem.{rest}"),
        *(  # theirs belongs to the stage before, ours to the stage after
            (f"backbone.layers.{k}.downsample.{{rest}}", f"image_encoder.layers.{k + 1}.downsample.{{rest}}")
            for k in range(3)
        ),
        *(
            (
                f"backbone.layers.{{i}}.blocks.{{j}}.{theirs}",
                f"image_encoder.layers.{{i}}.blocks.{{j}}.{ours}",
            )
            for theirs, ours in (
                ("norm1.{w}", "norm1_post.{w}"),
                ("norm2.{w}", "norm2_post.{w}"),
                ("gamma_1", "ls1.gamma"),
                ("gamma_2", "ls2.gamma"),
                ("modulation.{rest}", "modulation.{rest}"),
                ("mlp.{rest}", "mlp.{rest}"),
            )
        ),
    ],
    "davit": [  # ours are timm's names
        ("backbone.convs.0.proj.{w}", "image_encoder.stem.conv.{w}"),
        ("backbone.convs.0.norm.{w}", "image_encoder.stem.norm.{w}"),
        ("backbone.convs.{i}.proj.{w}", "image_encoder.stages.{i}.downsample.conv.{w}"),
        ("backbone.convs.{i}.norm.{w}", "image_encoder.stages.{i}.downsample.norm.{w}"),
        *(
            (
                f"backbone.blocks.{{i}}.{{j}}.{kind}_block.{theirs}",
                f"image_encoder.stages.{{i}}.blocks.{{j}}.{kind}_block.{ours}",
            )
            for kind, attention in (("spatial", "window_attn"), ("channel", "channel_attn"))
            for theirs, ours in (
                ("conv1.fn.dw.{w}", "cpe1.proj.{w}"),
                ("conv2.fn.dw.{w}", "cpe2.proj.{w}"),
                (f"{attention}.norm.{{w}}", "norm1.{w}"),
                (f"{attention}.fn.{{rest}}", "attn.{rest}"),
                ("ffn.norm.{w}", "norm2.{w}"),
                ("ffn.fn.net.{rest}", "mlp.{rest}"),
            )
        ),
    ],
    "sam_vit": [  # ours are timm's names; `neck` is SEEM's own
        ("backbone.blocks.{i}.mlp.lin1.{w}", "image_encoder.blocks.{i}.mlp.fc1.{w}"),
        ("backbone.blocks.{i}.mlp.lin2.{w}", "image_encoder.blocks.{i}.mlp.fc2.{w}"),
        ("backbone.{rest}", "image_encoder.{rest}"),
    ],
}
SIGNS: dict[Family, str] = {
    "focal": "backbone.layers.0.blocks.0.dw",
    "focal_large": "backbone.layers.",
    "davit": "backbone.convs.",
    "sam_vit": "backbone.pos_embed",
}
"""How keys begin that only this family has, of those that are no family before it."""

CONVOLUTIONS: dict[Family, tuple[str, ...]] = {
    "focal_large": tuple(
        f"image_encoder.layers.{{i}}.blocks.{{j}}.{part}.weight"
        for part in ("modulation.f", "modulation.proj", "mlp.fc1", "mlp.fc2")
    )
}
"""Weights, by our names, that are matrices (D, C) there and 1 x 1 convolutions (D, C, 1, 1) here."""

PLACEHOLDERS = {"i": r"\d+", "j": r"\d+", "w": "weight|bias", "rest": ".+"}


def to_ours(key: str, family: Family) -> str:
    """Our name of a published parameter; an unknown or ignorable one raises :class:`WeightsError`."""
    return rename(key, compile_rules(family, forth=True), "a published SEEM or X-Decoder file", family)


def to_theirs(key: str, family: Family) -> str:
    """The published name of one of our parameters; :class:`WeightsError` if no published file has it."""
    return rename(key, compile_rules(family, forth=False), "this model", family)


def shape_to_ours(key: str, shape: Sequence[int], family: Family) -> tuple[int, ...]:
    """Our shape of a published parameter of this shape, by our name; its values keep their order."""
    return (*shape, 1, 1) if is_convolution(key, family) and len(shape) == 2 else tuple(shape)


def shape_to_theirs(key: str, shape: Sequence[int], family: Family) -> tuple[int, ...]:
    """The published shape of one of our parameters, by our name; its values keep their order."""
    return tuple(shape[:2]) if is_convolution(key, family) else tuple(shape)


def is_ignorable(key: str) -> bool:
    """True for a published entry that holds nothing learned."""
    return re.fullmatch(IGNORABLE, key) is not None


def needs_no_place(key: str) -> bool:
    """True for a published parameter that is passed over where the network has no place for it."""
    return key in XDECODER_ONLY


def guess_family(keys: Iterable[str]) -> Family:
    """The backbone family of a published file, from its keys."""
    known = list(keys)
    for family, sign in SIGNS.items():
        if any(key.startswith(sign) for key in known):
            return family
    raise WeightsError(
        "these weights have no backbone of the FocalNet, DaViT or SAM ViT family, so no SEEM file holds them"
    )


def rename(key: str, rules: list[tuple[re.Pattern[str], str]], where: str, family: Family) -> str:
    for pattern, template in rules:
        match = pattern.fullmatch(key)
        if match:
            return template.format(**match.groupdict())
    raise WeightsError(f"parameter {key!r} is none that {where} with a {family} backbone has", path=key)


def is_convolution(key: str, family: Family) -> bool:
    return any(compile_pattern(name).fullmatch(key) for name in CONVOLUTIONS.get(family, ()))


@lru_cache
def compile_rules(family: Family, *, forth: bool) -> list[tuple[re.Pattern[str], str]]:
    """Patterns and templates from theirs to ours (`forth`), or back."""
    rules = [*IMAGE_ENCODER[family], *PIXEL_DECODER, *TEXT_ENCODER, *MASK_DECODER, *PROMPTS]
    return [(compile_pattern(a), b) if forth else (compile_pattern(b), a) for a, b in rules]


@lru_cache
def compile_pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile(
        "".join(f"(?P<{p}>{PLACEHOLDERS[p]})" if k % 2 else re.escape(p) for k, p in enumerate(parts))
    )

"""UniCL at small sizes, against open_clip's transformer; published sizes are checked in tests/parity."""

from functools import partial

import open_clip
import torch
from open_clip.transformer import LayerNorm, QuickGELU, TextTransformer

from seemkit_text.unicl import UniCL, UniCLEncoder

TEXTS = ["a dog", "the dog on the left of the other dog", "grass"]


def small() -> UniCLEncoder:
    torch.manual_seed(0)
    encoder = UniCL.build(UniCL.Options(width=32, layers=2, heads=4)).eval()
    assert isinstance(encoder, UniCLEncoder)
    return encoder


@torch.inference_mode()
def test_states_are_those_of_open_clips_transformer_with_eps_1e_12_and_quick_gelu() -> None:
    encoder = small()
    theirs = TextTransformer(
        width=32,
        heads=4,
        layers=2,
        output_dim=32,
        act_layer=QuickGELU,
        norm_layer=partial(LayerNorm, eps=1e-12),
    ).eval()
    weights = {
        key.removeprefix("transformer.").replace("resblocks", "transformer.resblocks"): value
        for key, value in encoder.state_dict().items()
    }
    weights["text_projection"] = weights.pop("projection")
    weights.pop("logit_scale")
    theirs.load_state_dict(weights)
    expected = theirs(open_clip.tokenize(TEXTS))
    ours = torch.stack([phrase.embedding for phrase in encoder.encode(TEXTS)])
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_texts_are_lower_cased_trimmed_and_kept_in_order() -> None:
    encoder = small()
    upper, lower, other = encoder.encode(["  A Dog ", "a dog", "grass"])
    torch.testing.assert_close(upper.tokens, lower.tokens, atol=1e-6, rtol=0)
    assert (len(lower.tokens), len(other.tokens)) == (4, 3)
    assert not torch.allclose(lower.embedding, other.embedding, atol=1e-3)


@torch.inference_mode()
def test_a_long_text_is_cut_to_77_tokens_and_still_ends() -> None:
    encoder = small()
    (phrase,) = encoder.encode(["dog " * 200])
    assert len(phrase.tokens) == 77
    ids = open_clip.tokenize(["dog " * 200])
    assert ids[0, 76] == ids.max() == 49407


@torch.inference_mode()
def test_states_keep_the_dtype_of_half_precision_weights() -> None:
    encoder = small()
    whole = encoder.encode(["a dog"])[0].embedding
    half = encoder.to(torch.bfloat16).encode(["a dog"])[0].embedding
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), whole, atol=0.1, rtol=0.1)


def test_nothing_asked_is_nothing_answered() -> None:
    assert small().encode([]) == []

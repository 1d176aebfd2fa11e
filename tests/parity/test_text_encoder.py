"""UniCL against the original's language encoder; numbers from its v1.0 code (case v1_lang)."""

from collections.abc import Callable
from typing import Any

import open_clip
import pytest
import torch
from torch import Tensor

from seemkit_text.unicl import UniCL, UniCLEncoder

TOLERANCE = 1e-4
# of the six recorded classes, at these places of the COCO panoptic list: 0, 16, 56, 80, 100 and 133
CLASSES = ["person", "dog", "chair", "banner", "road", "background"]


@pytest.fixture(scope="module")
def encoder(golden_state_dict: Callable[..., dict[str, Tensor]]) -> UniCLEncoder:
    network = UniCL.build(UniCL.Options()).eval()
    network.load_state_dict(golden_state_dict("seem_focalt_unicl_lang_v1", part="text_encoder."))
    assert isinstance(network, UniCLEncoder)
    return network


@torch.inference_mode()
def test_phrase_tokens_and_embeddings_are_those_of_the_original(
    encoder: UniCLEncoder, golden: Callable[[str], Any]
) -> None:
    case = golden("focalt_v1_lang")
    texts = case.meta["phrases/input_ids"]["texts"]
    there = case.tensor("phrases/attention_mask").bool()
    phrases = encoder.encode(texts)
    assert [len(phrase.tokens) for phrase in phrases] == there.sum(dim=1).tolist()
    tokens = case.tensor("phrases/token_emb")
    for k, phrase in enumerate(phrases):
        torch.testing.assert_close(phrase.tokens, tokens[k, there[k]], atol=TOLERANCE, rtol=0)
    embeddings = torch.stack([phrase.embedding for phrase in phrases])
    assert case.compare("phrases/class_emb", embeddings).max_abs < TOLERANCE
    normalised = torch.nn.functional.normalize(embeddings, dim=1)
    assert case.compare("phrases/forward_language", normalised).max_abs < TOLERANCE
    assert case.compare("logit_scale", encoder.logit_scale).max_abs < 1e-6


@pytest.mark.parametrize("k", range(len(CLASSES)), ids=CLASSES)
@torch.inference_mode()
def test_class_embeddings_over_81_templates_are_those_of_the_original(
    k: int, encoder: UniCLEncoder, golden: Callable[[str], Any]
) -> None:
    expected = golden("focalt_v1_lang").tensor("class_emb_exact")[k]
    templates = [lambda name: f"{name}.", *open_clip.OPENAI_IMAGENET_TEMPLATES]
    phrases = encoder.encode([template(CLASSES[k]) for template in templates])
    embeddings = torch.nn.functional.normalize(torch.stack([p.embedding for p in phrases]), dim=1)
    mean = torch.nn.functional.normalize(embeddings.mean(dim=0), dim=0)
    torch.testing.assert_close(mean, expected, atol=TOLERANCE, rtol=0)

"""Text towers of open_clip with random weights, against open_clip's own encode_text."""

import open_clip
import pytest
import torch
from pydantic import ValidationError

from seemkit_text.open_clip import OpenClip, OpenClipEncoder

SMALL = "ViT-S-32-alt"
TEXTS = ["a dog", "the second largest of three dogs, asleep on a red sofa", "", "a dog"]


@pytest.fixture(scope="module")
def whole() -> torch.nn.Module:
    torch.manual_seed(0)
    model: torch.nn.Module = open_clip.create_model(SMALL)
    return model.eval()


@torch.inference_mode()
def test_embeddings_are_those_of_the_whole_model(whole: torch.nn.Module) -> None:
    encoder = OpenClip.build(OpenClip.Options(model=SMALL)).eval()
    assert isinstance(encoder, OpenClipEncoder)
    encoder.load_tower(whole)
    ours = torch.stack([phrase.embedding for phrase in encoder.encode(TEXTS)])
    expected = whole.encode_text(open_clip.tokenize(TEXTS))  # type: ignore[operator]
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)
    assert encoder.logit_scale.item() == pytest.approx(whole.logit_scale.item())  # type: ignore[operator]


@torch.inference_mode()
def test_pretrained_takes_the_tower_of_the_whole_model(
    whole: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def give(model: str, pretrained: str) -> torch.nn.Module:
        asked.append((model, pretrained))
        return whole

    monkeypatch.setattr(open_clip, "list_pretrained_tags_by_model", lambda model: ["some_tag"])
    monkeypatch.setattr(open_clip, "create_model", give)
    encoder = OpenClip.build(OpenClip.Options(model=SMALL, pretrained="some_tag"))
    assert asked == [(SMALL, "some_tag")]
    weights = whole.state_dict()
    for name, value in encoder.tower.state_dict().items():  # type: ignore[union-attr]
        assert torch.equal(value, weights[name])


@pytest.mark.parametrize("model", [SMALL, "MobileCLIP-S1"])  # causal, and one that reads padding too
@torch.inference_mode()
def test_tokens_run_from_start_to_end_of_text_and_do_not_depend_on_company(model: str) -> None:
    torch.manual_seed(0)
    encoder = OpenClip.build(OpenClip.Options(model=model)).eval()
    assert isinstance(encoder, OpenClipEncoder)
    phrases = encoder.encode(TEXTS)
    assert [len(phrase.tokens) for phrase in phrases] == [4, 14, 2, 4]
    for text, phrase in zip(TEXTS, phrases, strict=True):
        (alone,) = encoder.encode([text])
        torch.testing.assert_close(alone.tokens, phrase.tokens, atol=1e-5, rtol=0)
        assert torch.equal(phrase.embedding, phrase.tokens[-1])
        assert phrase.embedding.shape == (encoder.dim,) == (OpenClip.declare(OpenClip.Options(model=model)),)


@torch.inference_mode()
def test_the_class_token_of_coca_is_the_embedding_and_no_token() -> None:
    torch.manual_seed(0)
    encoder = OpenClip.build(OpenClip.Options(model="coca_ViT-B-32")).eval()
    assert isinstance(encoder, OpenClipEncoder)
    phrases = encoder.encode(TEXTS)
    expected, _ = encoder.tower(
        encoder.tokenize(TEXTS)
    )  # open_clip's own way: pooled, and tokens unprojected
    torch.testing.assert_close(
        torch.stack([phrase.embedding for phrase in phrases]), expected, atol=1e-5, rtol=0
    )
    assert [len(phrase.tokens) for phrase in phrases] == [4, 14, 2, 4]
    assert not torch.equal(phrases[0].embedding, phrases[0].tokens[-1])
    (alone,) = encoder.encode(["a dog"])
    torch.testing.assert_close(alone.tokens, phrases[0].tokens, atol=1e-5, rtol=0)


def test_gradients_reach_the_tower() -> None:
    encoder = OpenClip.build(OpenClip.Options(model=SMALL))
    assert isinstance(encoder, OpenClipEncoder)
    encoder.encode(["a dog"])[0].tokens.sum().backward()  # type: ignore[no-untyped-call]
    assert encoder.tower.token_embedding.weight.grad is not None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": "ViT-B-33"}, "'ViT-B-33' is no text tower of open_clip; did you mean 'ViT-B-32'"),
        (
            {"model": "ViT-B-32", "pretrained": "opena"},
            "is no pretrained tag of ViT-B-32; did you mean 'openai'",
        ),
        ({"model": "ViT-B-16-SigLIP"}, "takes the tokenizer timm/ViT-B-16-SigLIP of the Hugging Face hub"),
        ({"model": "roberta-ViT-B-32"}, "is roberta-base of the Hugging Face hub"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_sentence(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        OpenClip.Options(**options)

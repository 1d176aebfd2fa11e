"""Sentences that begin alike share their beginnings, and every state is what the plain transformer gives."""

import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seemkit_text import beginnings
from seemkit_text.beginnings import last_states, share_beginnings
from seemkit_text.sentences import TEMPLATES
from seemkit_text.text_transformer import TextTransformer
from seemkit_text.unicl import UniCL, UniCLEncoder

SENTENCES = st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=6).map(tuple), unique=True, max_size=30)


@given(sentences=SENTENCES, least=st.integers(2, 5))
def test_each_sentence_is_in_one_group_and_begins_as_the_others_of_it(
    sentences: list[tuple[int, ...]], least: int
) -> None:
    groups = share_beginnings(sentences, least)
    assert sorted(k for _, members in groups for k in members) == list(range(len(sentences)))
    for depth, members in groups:
        assert len({sentences[k][:depth] for k in members}) == 1
        assert all(len(sentences[k]) > depth for k in members)


@pytest.fixture(scope="module")
def transformer() -> TextTransformer:
    torch.manual_seed(0)
    return TextTransformer(width=16, layers=2, heads=2).eval()


@settings(deadline=None, max_examples=25)
@given(sentences=SENTENCES.filter(bool), tokens=st.sampled_from([8, 64]))
def test_states_are_those_of_the_plain_transformer(
    sentences: list[tuple[int, ...]], tokens: int, transformer: TextTransformer
) -> None:
    with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
        patch.setattr(beginnings, "TOKENS", tokens)
        patch.setattr(beginnings, "AT_ONCE", 7)
        found = last_states(sentences, transformer, torch.device("cpu"))
        for sentence, state in zip(sentences, found, strict=True):
            plain = transformer(torch.tensor([sentence]))[0, -1]
            torch.testing.assert_close(state, plain, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_embeddings_are_those_of_encode_in_any_order_and_no_token_is_computed_twice() -> None:
    torch.manual_seed(0)
    encoder = UniCL.build(UniCL.Options(width=16, layers=2, heads=2)).eval()
    assert isinstance(encoder, UniCLEncoder)
    texts = [template.replace("{}", name) for name in ("dog", "traffic light") for template in TEMPLATES]
    seen = []
    go_on = encoder.transformer.go_on

    def counting(ids: torch.Tensor, *rest: object) -> torch.Tensor:
        seen.append(ids.numel())
        return go_on(ids, *rest)  # type: ignore[arg-type]

    encoder.transformer.go_on = counting  # type: ignore[method-assign]
    found = encoder.embed([*texts, texts[0]])
    expected = torch.stack([phrase.embedding for phrase in encoder.encode(texts)])
    torch.testing.assert_close(found[:-1], expected, atol=1e-5, rtol=1e-5)
    assert torch.equal(found[-1], found[0])
    assert torch.equal(encoder.embed(texts[::-1]).flip(0), found[:-1])
    assert encoder.embed([]).shape == (0, 16)
    whole = len(texts) * 77  # tokens of the batches of the original
    assert sum(seen[: len(seen) // 2]) < whole / 12


def test_the_sentences_are_the_bare_name_and_the_eighty_of_clip() -> None:
    assert len(TEMPLATES) == len(set(TEMPLATES)) == 81
    assert TEMPLATES[0] == "{}."
    assert TEMPLATES[1:] == tuple(t("{}") for t in open_clip.OPENAI_IMAGENET_TEMPLATES)
    assert all(t.count("{}") == 1 for t in TEMPLATES)

"""Vocabularies as embeddings."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch.nn.functional import normalize

from seemkit import Model
from seemkit.network.network import Network
from seemkit.pipeline.vocabulary import check_vocabulary, embed_vocabulary


def test_names_are_stripped_and_kept_once_in_order() -> None:
    assert check_vocabulary(["dog", " cat ", "dog", "Dog"]) == ("dog", "cat", "Dog")
    assert check_vocabulary(name for name in ("a", "b")) == ("a", "b")  # type: ignore[arg-type]


@torch.no_grad()
def test_a_name_is_the_mean_of_its_sentences(
    tiny_model: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    network: Network = tiny_model("seem_v0").network
    encoder = network.text_encoder
    plain = embed_vocabulary(network, ["dog", "cat"])
    torch.testing.assert_close(plain.norm(dim=1), torch.ones(2))
    templates: Sequence[str] = ("a {}.", "one {} and more.")
    monkeypatch.setattr(encoder, "templates", templates, raising=False)
    expected = [
        normalize(
            sum(normalize(network.encode_texts([t.format(name)])[0].embedding, dim=0) for t in templates),
            dim=0,
        )
        for name in ("dog", "cat")
    ]
    torch.testing.assert_close(embed_vocabulary(network, ["dog", "cat"]), torch.stack(expected))

"""Vocabularies as embeddings: sentences, synonyms and background, whatever the order."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from seemkit import Model, Vocabulary, load
from seemkit.network.network import Network
from seemkit.pipeline.everything import Thresholds
from seemkit.pipeline.vocabulary import NameEmbeddings, Vocabularies, embed_vocabulary, name_logits
from seemkit.prompts import Box

ROOM = Vocabulary(["cat", "sofa"], synonyms={"sofa": ["couch", "settee"]})
PROMPT = Box(x1=20, y1=15, x2=70, y2=60)


@torch.no_grad()
def test_a_name_is_the_mean_of_its_sentences(
    tiny_model: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    network: Network = tiny_model("seem_v0").network
    encoder = network.text_encoder
    plain = embed_vocabulary(network, ["dog", "cat"])
    torch.testing.assert_close(plain.norm(dim=1), torch.ones(2))
    templates: Sequence[str] = ("a {}.", "one {} and more.")
    expected = [
        normalize(
            sum(normalize(network.encode_texts([t.format(name)])[0].embedding, dim=0) for t in templates),
            dim=0,
        )
        for name in ("dog", "cat")
    ]
    torch.testing.assert_close(embed_vocabulary(network, ["dog", "cat"], templates), torch.stack(expected))
    monkeypatch.setattr(encoder, "templates", templates, raising=False)
    torch.testing.assert_close(embed_vocabulary(network, ["dog", "cat"]), torch.stack(expected))


def test_the_bits_of_a_name_do_not_depend_on_the_order(tiny_model: Callable[[str], Model]) -> None:
    names = ["cat", "a small brown dog on the left", "grass", "traffic light", "a", "sky over the sea"] * 3
    names = [f"{name} {i}" for i, name in enumerate(names)]
    network: Network = tiny_model("seem_v1").network
    once = Vocabularies(network).embed(names)
    assert isinstance(once, torch.Tensor)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(names)).tolist()
        again = Vocabularies(network).embed([names[i] for i in order])
        assert isinstance(again, torch.Tensor)
        assert torch.equal(again, once[order])
    turned = Vocabularies(network).embed(Vocabulary(names, templates=["the {}", "a {}."]))
    assert torch.equal(turned, Vocabularies(network).embed(Vocabulary(names, templates=["a {}.", "the {}"])))  # type: ignore[arg-type]
    assert not torch.equal(turned, once)  # type: ignore[arg-type]


@torch.no_grad()
def test_a_name_is_as_likely_as_the_likeliest_of_its_words(tiny_model: Callable[[str], Model]) -> None:
    network: Network = tiny_model("seem_v1").network
    found = Vocabularies(network).embed(ROOM, background=True)
    assert isinstance(found, NameEmbeddings)
    assert found.owners.tolist() == [0, 1, 1, 1, 2]
    states = torch.randn(5, network.dims.text, generator=torch.Generator().manual_seed(0))
    each = network.class_logits(states, found.words)
    expected = torch.stack([each[:, 0], each[:, 1:4].amax(1), each[:, 4]], dim=1)
    assert torch.equal(name_logits(network, states, found), expected)


def test_labels_are_names_whatever_word_is_meant(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8]
) -> None:
    model = tiny_model("seem_v1")
    plain = model.segment(photo, [PROMPT], vocabulary=["cat", "sofa", "couch", "settee"])
    result = model.segment(photo, [PROMPT], vocabulary=ROOM)
    assert result.vocabulary == ("cat", "sofa")
    by_word = {name: np.log(p) for name, p in plain.labels[0]}
    best = max(by_word[word] for word in ROOM.words("sofa"))
    by_name = {name: np.log(p) for name, p in result.labels[0]}
    np.testing.assert_allclose(by_name["sofa"] - by_name["cat"], best - by_word["cat"], atol=1e-3)


def test_what_is_background_is_said_by_the_vocabulary(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8]
) -> None:
    """With a background that is more like everything than the one name is, nothing is left to find."""
    model, eager = tiny_model("seem_v1"), Thresholds(0.0, 0.0)
    found = model.everything(photo, vocabulary=Vocabulary(["cat"], background="grass"), thresholds=eager)
    turned = model.everything(photo, vocabulary=Vocabulary(["grass"], background="cat"), thresholds=eager)
    assert len(found) != len(turned)
    assert {label for row in (*found.labels, *turned.labels) for label, _ in row} <= {"cat", "grass"}


def test_a_vocabulary_is_taken_wherever_names_are(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], assembly: Callable[..., dict[str, object]]
) -> None:
    model = tiny_model("seem_v1")
    scene = model.encode(photo)
    expected = model.segment(scene, [PROMPT], vocabulary=ROOM).labels
    session = model.session(scene, vocabulary=ROOM)
    session.add(PROMPT)
    assert session.result().labels == expected
    log = session.log()
    assert log["vocabulary"] == ROOM.to_dict()
    assert type(session).from_log(model, log, photo).result().labels == expected
    tracked = next(iter(model.track([photo], {"1": [PROMPT]}, vocabulary=ROOM)))
    assert tracked.labels == expected
    assert model.segment_many([(scene, [PROMPT])], vocabulary=ROOM)[0].labels == expected
    own = load({**assembly(), "vocabulary": ROOM.to_dict()}, weights=None, device="cpu")
    assert own.vocabulary == ROOM


@pytest.mark.parametrize(
    ("vocabulary", "sentence"),
    [
        (
            {"names": ["cat"], "synonym": {}},
            r"vocabulary\.synonym: there is no field 'synonym'; did you mean 'synonyms'\?",
        ),
        ({"names": ["cat"], "templates": ["the"]}, "expected a sentence with {} once"),
        ({"names": ["cat"], "synonyms": {"dog": ["pet"]}}, "'dog', which is no name of the vocabulary"),
        ({"synonyms": {}}, r"vocabulary\.names: it is missing"),
    ],
)
def test_a_wrong_vocabulary_of_an_assembly_is_said_with_its_path(
    assembly: Callable[..., dict[str, object]], vocabulary: object, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        load({**assembly(), "vocabulary": vocabulary}, weights=None)


def test_an_assembly_with_a_whole_vocabulary_is_written_and_read_again(
    assembly: Callable[..., dict[str, object]], tmp_path: Path
) -> None:
    from seemkit.assembly import load_assembly
    from seemkit.assembly.explained import explain
    from seemkit.host import registry

    made = load_assembly({**assembly(), "vocabulary": ROOM.to_dict()})  # type: ignore[dict-item]
    for name, text in (("short.yaml", made.to_yaml()), ("long.yaml", explain(made, registry()))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert load_assembly(tmp_path / name).vocabulary == made.vocabulary

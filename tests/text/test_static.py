"""The static text encoder: the packaged table (names by common sense), its mean, unknown and empty texts."""

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from seemkit_text.static import Static, StaticEncoder

NAMES = [
    "person",
    "bicycle",
    "car",
    "dog",
    "cat",
    "horse",
    "couch",
    "cup",
    "airplane",
    "boat",
    "bird",
    "tv",
    "pizza",
]


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    built = Static.build(Static.Options())
    assert isinstance(built, StaticEncoder)
    return built


def tiny() -> StaticEncoder:
    rows = torch.tensor([[10, 0], [0, 20], [30, 30], [-127, 1]], dtype=torch.int8)
    scale = torch.tensor([0.5, 0.25, 1.0, 0.125], dtype=torch.float16)
    return StaticEncoder(["[UNK]", "dog", "##s", "cat"], rows, scale)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("puppy", "dog"),
        ("kitten", "cat"),
        ("sofa", "couch"),
        ("the red bike", "bicycle"),
        ("automobile", "car"),
        ("television", "tv"),
        ("ship", "boat"),
        ("mug", "cup"),
        ("a photo of a dog", "dog"),
    ],
)
def test_the_nearest_name_is_the_one_that_means_the_same(
    encoder: StaticEncoder, text: str, name: str
) -> None:
    names = torch.stack([phrase.embedding for phrase in encoder.encode(NAMES)])
    close = functional.cosine_similarity(names, encoder.encode([text])[0].embedding, dim=1)
    assert NAMES[int(close.argmax())] == name


def test_tokens_are_scaled_rows_and_the_embedding_is_their_mean() -> None:
    phrase = tiny().encode(["Dogs cat"])[0]  # dog, ##s, cat; rows times scale by hand
    expected = torch.tensor([[0.0, 5.0], [30.0, 30.0], [-15.875, 0.125]])
    torch.testing.assert_close(phrase.tokens, expected, rtol=0, atol=0)
    torch.testing.assert_close(phrase.embedding, expected.mean(0))


@pytest.mark.parametrize("text", ["", "   ", "zebra", "\u65e5"])
def test_empty_and_unknown_texts_are_the_unknown_row(text: str) -> None:
    phrase = tiny().encode([text])[0]
    assert phrase.tokens.tolist() == [[5.0, 0.0]]


def test_case_accents_and_neighbours_in_the_list_do_not_matter(encoder: StaticEncoder) -> None:
    plain, accents, alone = (encoder.encode(t) for t in (["a cafe", "x " * 40], ["A Café"], ["a cafe"]))
    assert torch.equal(plain[0].tokens, accents[0].tokens)
    assert torch.equal(plain[0].tokens, alone[0].tokens)


def test_a_long_text_is_cut_to_256_tokens(encoder: StaticEncoder) -> None:
    assert encoder.encode(["dog " * 1000])[0].tokens.shape == (256, encoder.dim)


def test_the_state_dict_holds_the_temperature_only(encoder: StaticEncoder) -> None:
    assert list(encoder.state_dict()) == ["logit_scale"]


def test_the_declared_width_is_that_of_the_tokens(encoder: StaticEncoder) -> None:
    declared = Static.declare(Static.Options())
    assert declared == encoder.dim == encoder.encode(["dog"])[0].embedding.shape[0] == 128


def test_an_unknown_table_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        ValidationError, match="'minilm-129' is no packaged text table; did you mean 'minilm-128'"
    ):
        Static.Options(table="minilm-129")


def test_a_path_is_no_table() -> None:
    with pytest.raises(ValidationError, match="no packaged text table"):
        Static.Options(table="../seemkit_text/minilm-128")

"""What an answer carries: how many masks, their scores, their selection, their labels."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from seemkit import Model, Scene
from seemkit.api import Prompt
from seemkit.errors import PromptError, SeemkitError, VocabularyError
from seemkit.prompts import Point, Text

QUERIES = 8
WORDS = ["dog", "cat", "grass"]


@pytest.fixture
def model(tiny_model: Callable[[str], Model]) -> Model:
    return tiny_model("seem_v1")


@pytest.fixture
def scene(model: Model, photo: NDArray[np.uint8]) -> Scene:
    return model.encode(photo)


PROMPTS: list[Prompt] = [Point(x=20, y=20), Text(text="a dog"), Point(x=60, y=50, object="2")]


def test_best_is_the_first_of_all(model: Model, scene: Scene) -> None:
    best, every = model.segment(scene, PROMPTS), model.segment(scene, PROMPTS, select="all")
    assert best.objects == ("1", "2")
    assert every.objects == ("1",) * QUERIES + ("2",) * QUERIES
    for field in ("scores", "logits", "selection"):  # a product of fewer rows may round otherwise
        np.testing.assert_allclose(getattr(best, field), getattr(every, field)[[0, QUERIES]], atol=1e-5)


def test_k_masks_are_the_first_k_of_all(model: Model, scene: Scene) -> None:
    three, every = model.segment(scene, PROMPTS, select=3), model.segment(scene, PROMPTS, select="all")
    assert three.objects == ("1",) * 3 + ("2",) * 3
    first = [0, 1, 2, QUERIES, QUERIES + 1, QUERIES + 2]
    np.testing.assert_allclose(three.selection, np.asarray(every.selection)[first], atol=1e-6)
    np.testing.assert_allclose(three.logits, np.asarray(every.logits)[first], atol=1e-5)
    assert len(model.segment(scene, PROMPTS, select=1000)) == 2 * QUERIES


@pytest.mark.parametrize("select", ["worst", 0, -1, True, 1.5, None])
def test_select_is_checked(model: Model, scene: Scene, select: object) -> None:
    with pytest.raises(SeemkitError, match="it is 'best', 'all', 'parts' or a number of masks from 1 on"):
        model.segment(scene, PROMPTS, select=select)  # type: ignore[arg-type]


def test_selection_is_a_distribution_over_the_candidates_best_first(model: Model, scene: Scene) -> None:
    selection = model.segment(scene, PROMPTS, select="all").selection
    assert selection is not None
    for own in (selection[:QUERIES], selection[QUERIES:]):
        assert own.sum() == pytest.approx(1, abs=1e-5)
        assert (np.diff(own) <= 0).all()


def test_shares_of_include_anchors_add_up_to_the_selection(model: Model, scene: Scene) -> None:
    # the policy `fused`: the sum of the logarithms, normalised over the candidates
    result = model.segment(scene, PROMPTS[:2], select="all")
    total = np.array([sum(share.values()) for share in result.shares])
    expected = np.exp(total) / np.exp(total).sum()
    np.testing.assert_allclose(result.selection, expected, rtol=1e-4)
    assert set(result.shares[0]) == {"region", "phrase"}


def test_scores_are_the_mean_probability_inside_the_mask(new_model: Callable[..., Model]) -> None:
    # an image of the size of the network's input: nothing is resized but the logits, by four, bilinear
    model = new_model(preprocess={"short": None, "long": None, "divisor": 32})
    result = model.segment(np.full((64, 96, 3), 90, np.uint8), PROMPTS, select="all")
    assert result.logits is not None
    for logits, mask, score in zip(result.logits, result.masks, result.scores, strict=True):
        probability = expit(enlarge(logits))
        assert (
            np.array_equal(mask, probability > 0.5)
            or np.abs(probability - 0.5)[mask != (probability > 0.5)].max() < 1e-4
        )
        expected = probability[mask].mean() if mask.any() else 0.0
        assert score == pytest.approx(expected, abs=1e-4)
    assert ((result.scores == 0) | (result.scores > 0.5)).all()


def enlarge(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Bilinear by four with centres aligned, spelled out."""
    h, w = logits.shape

    def weights(n: int) -> NDArray[np.float64]:
        at = np.clip((np.arange(4 * n) + 0.5) / 4 - 0.5, 0, n - 1)
        low = np.minimum(at.astype(int), n - 2)
        table = np.zeros((4 * n, n))
        table[np.arange(4 * n), low] = 1 - (at - low)
        table[np.arange(4 * n), low + 1] += at - low
        return table

    return np.asarray(weights(h) @ logits.astype(np.float64) @ weights(w).T)


def test_labels_are_ranked_and_sum_to_one(model: Model, scene: Scene) -> None:
    result = model.segment(scene, PROMPTS, vocabulary=WORDS)
    assert result.vocabulary == tuple(WORDS)
    for ranked in result.labels:
        assert sorted(name for name, _ in ranked) == sorted(WORDS)
        probabilities = [p for _, p in ranked]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)


def test_of_a_long_vocabulary_the_five_best_names_are_kept(model: Model, scene: Scene) -> None:
    words = [f"thing {i}" for i in range(40)]
    result = model.segment(scene, PROMPTS, vocabulary=words)
    assert all(len(ranked) == 5 for ranked in result.labels)


def test_the_order_of_a_vocabulary_does_not_change_its_labels(model: Model, scene: Scene) -> None:
    one = model.segment(scene, PROMPTS, vocabulary=WORDS)
    two = model.segment(scene, PROMPTS, vocabulary=WORDS[::-1])
    for a, b in zip(one.labels, two.labels, strict=True):
        assert [name for name, _ in a] == [name for name, _ in b]
        assert [p for _, p in a] == pytest.approx([p for _, p in b], abs=1e-5)


def test_without_a_vocabulary_there_are_no_labels(model: Model, scene: Scene) -> None:
    assert model.segment(scene, PROMPTS).labels == ((), ())


def test_the_vocabulary_of_the_assembly_is_the_default(new_model: Callable[..., Model], scene: Scene) -> None:
    model = new_model(vocabulary=["a", "b"])
    assert model.segment(scene, PROMPTS).vocabulary == ("a", "b")
    assert model.segment(scene, PROMPTS, vocabulary=["c"]).vocabulary == ("c",)


@pytest.mark.parametrize(
    ("vocabulary", "sentence"),
    [
        ("dog", "vocabulary is the one text 'dog'; give a list of names"),
        (5, "vocabulary is a int; give a list of names"),
        ([], "the vocabulary is empty"),
        (["dog", " "], r"vocabulary\[1\] is ' ', not a name"),
        (["dog", 3], r"vocabulary\[1\] is 3, not a name"),
        ([str(i) for i in range(20_001)], "the vocabulary has 20001 names; at most 20000"),
    ],
    ids=["text", "number", "empty", "blank", "no text", "too large"],
)
def test_a_wrong_vocabulary_is_one_sentence(
    model: Model, scene: Scene, vocabulary: object, sentence: str
) -> None:
    with pytest.raises(VocabularyError, match=sentence):
        model.segment(scene, PROMPTS, vocabulary=vocabulary)  # type: ignore[arg-type]


def test_one_prompt_need_not_be_in_a_list(model: Model, scene: Scene) -> None:
    assert np.array_equal(
        model.segment(scene, Point(x=20, y=20)).masks, model.segment(scene, [Point(x=20, y=20)]).masks
    )


def test_ragged_requests_are_answered_as_one_by_one(
    model: Model, new_photo: Callable[..., NDArray[np.uint8]]
) -> None:
    photos = [new_photo(72, 96, 1), new_photo(50, 60, 2), new_photo(72, 96, 3)]
    requests: list[tuple[NDArray[np.uint8], list[Prompt]]] = [
        (photos[0], [Point(x=5, y=5)]),
        (photos[1], PROMPTS[:2]),
        (photos[2], [Point(x=5, y=5, object="a"), Point(x=50, y=20, object="b")]),
    ]
    for (photo, prompts), result in zip(requests, model.segment_many(requests), strict=True):
        alone = model.segment(photo, prompts)
        assert result.objects == alone.objects
        assert result.masks.shape == alone.masks.shape
        assert result.logits is not None
        assert alone.logits is not None
        assert np.abs(result.logits - alone.logits).max() < 5e-3


def test_prompts_may_be_json_objects_and_what_is_no_prompt_is_said(
    tiny_model: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    model = tiny_model("nano")
    plain = model.segment(photo, [{"type": "point", "x": 20, "y": 15}], select=np.int64(2))
    value = model.segment(photo, [Point(x=20, y=15)], select=2)
    assert np.array_equal(plain.logits, value.logits)
    for wrong in (None, "here", {"type": "point", "x": 20, "y": 15}):
        with pytest.raises(PromptError, match="expected a list of prompts"):
            model.segment(photo, wrong)
    with pytest.raises(PromptError, match=r"prompts\[0\]\.x is missing"):
        model.segment(photo, [{"type": "point", "y": 15}])

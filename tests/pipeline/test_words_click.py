"""Words that click: of the places where they are seen most, the answer that fits them best is given."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from seemkit import Model, Scene
from seemkit.pipeline import compose, segment
from seemkit.prompts import Point, Text

WORDS, CLICK = Text(text="a dog", object="b"), Point(x=20, y=20, object="c")


@pytest.fixture
def model(new_model: Callable[..., Model]) -> Model:
    return new_model("nano")


@pytest.fixture
def scene(model: Model, photo: NDArray[np.uint8]) -> Scene:
    return model.encode(photo)


@pytest.fixture
def prefer(model: Model, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`prefer(1)`: the second click's answers fit best, all alike."""

    def choose(turn: int) -> None:
        def fits(scene: object, said: object, mask_embeddings: Tensor, bias: object) -> Tensor:
            found = torch.zeros(mask_embeddings.shape[:2])
            found[turn] = 5.0
            return found

        monkeypatch.setattr(model.network, "words_fit", fits)

    return choose


@pytest.mark.parametrize("turn", range(compose.CLICKS))
def test_the_answer_is_that_of_the_click_that_fits_best(
    model: Model, scene: Scene, prefer: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    prefer(turn)
    found = model.segment(scene, [WORDS, CLICK], select="all")
    prefer(0)
    peaks = model.network.words_peaks
    monkeypatch.setattr(compose, "CLICKS", 1)
    monkeypatch.setattr(
        model.network,
        "words_peaks",
        lambda scene, said, sizes, count: peaks(scene, said, sizes, 3)[:, turn : turn + 1],
    )
    alone = model.segment(scene, [WORDS, CLICK], select="all")
    np.testing.assert_allclose(found.logits, alone.logits, atol=1e-4)
    np.testing.assert_allclose(found.scores, alone.scores, atol=1e-5)
    for some, other in zip(found.shares, alone.shares, strict=True):
        assert some.keys() == other.keys()
        for role, value in some.items():
            assert value == pytest.approx(other[role], abs=1e-4)


def test_each_text_chooses_for_itself_and_no_more_masks_are_given(model: Model, scene: Scene) -> None:
    texts = [Text(text=text, object=text) for text in ("a dog", "a red car", "sky")]
    together = model.segment(scene, [*texts, CLICK])
    assert together.objects == (*(text.object for text in texts), "c")
    for k, text in enumerate(texts):
        alone = model.segment(scene, [text])
        np.testing.assert_allclose(alone.logits[0], together.logits[k], atol=1e-4)
    every = model.segment(scene, [*texts, CLICK], select="all")
    assert len(every.logits) == 4 * 8  # queries of the tiny decoder


def test_objects_whose_words_click_count_so_often_against_the_memory(
    model: Model, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[list[str]] = []
    whole = segment.compose

    def spy(network: Any, *given: Any) -> Any:
        sizes.append([item.name for item in given[2]])
        return whole(network, *given)

    monkeypatch.setattr(segment, "compose", spy)
    monkeypatch.setattr(segment, "_chunk_size", lambda context: 4)
    points = [Point(x=5, y=5, object=f"p{k}") for k in range(3)]
    model.segment(scene, [*points, WORDS, Text(text="a cat", object="z")])
    assert sizes == [["b", "p0"], ["p1", "p2"], ["z"]]

"""Following objects: one result a frame, one encoding a frame, nothing kept but the last."""

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seemkit import Model
from seemkit.errors import PromptError
from seemkit.prompts import Box, Point, Text


@pytest.fixture
def model(new_model: Callable[..., Model]) -> Model:
    return new_model()


OBJECTS = {"dog": [Point(x=20, y=20), Box(x1=5, y1=5, x2=60, y2=60)], "cat": [Point(x=70, y=50)]}


def test_every_frame_is_encoded_once_and_answers_every_object(
    model: Model, new_photo: Callable[..., NDArray[np.uint8]]
) -> None:
    frames = [new_photo(72, 96, seed) for seed in range(4)]
    results = list(model.track(frames, OBJECTS, vocabulary=["a", "b"]))
    assert [r.objects for r in results] == [("dog", "cat")] * 4
    assert model.encodes == 4
    assert all(len(ranked) == 2 for r in results for ranked in r.labels)


def test_the_first_frame_is_answered_as_any_image(model: Model, photo: NDArray[np.uint8]) -> None:
    first = next(iter(model.track([photo], OBJECTS)))
    prompts = [p.model_copy(update={"object": name}) for name, given in OBJECTS.items() for p in given]
    assert np.array_equal(first.logits, model.segment(photo, prompts).logits)


def test_the_mask_of_the_frame_before_goes_in_as_memory(
    model: Model, photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    segment = model.segment

    def spy(*given: Any, **more: Any) -> Any:
        seen.append(more.get("memory"))
        return segment(*given, **more)

    monkeypatch.setattr(model, "segment", spy)
    results = list(model.track([photo] * 3, OBJECTS))
    assert seen[0] is None
    for before, memory in zip(results, seen[1:], strict=False):
        assert set(memory) == {"dog", "cat"}
        assert torch.equal(memory["dog"], torch.tensor(before.logits[0]))
    seen.clear()
    list(model.track([photo] * 3, OBJECTS, memory=False))
    assert seen == [None] * 3


def test_frames_are_let_go(model: Model, new_photo: Callable[..., NDArray[np.uint8]]) -> None:
    alive: list[weakref.ref[Any]] = []
    most = 0

    def frames() -> Iterator[NDArray[np.uint8]]:
        for seed in range(12):
            yield new_photo(72, 96, seed)

    for result in model.track(frames(), OBJECTS):
        assert result.image is not None
        alive.append(weakref.ref(result))
        del result
        gc.collect()
        most = max(most, sum(ref() is not None for ref in alive))
    assert most <= 2


def test_nothing_to_follow_is_said(model: Model, photo: NDArray[np.uint8]) -> None:
    for nothing in ({}, {"dog": []}):
        with pytest.raises(PromptError, match="no object to follow was given"):
            next(iter(model.track([photo], nothing)))


def test_texts_can_be_followed(model: Model, photo: NDArray[np.uint8]) -> None:
    results = list(model.track([photo, photo], {"dog": [Text(text="the dog")]}))
    assert len(results) == 2


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ([Point(x=1, y=1)], "objects is a list, expected prompts by name"),
        ({"dog": ["here"]}, r"objects\['dog'\] holds a str, expected prompts"),
        ({}, "no object to follow was given"),
    ],
)
def test_wrong_objects_are_refused_at_once(
    model: Model, photo: NDArray[np.uint8], objects: Any, says: str
) -> None:
    with pytest.raises(PromptError, match=says):
        model.track([photo], objects)


def test_one_prompt_needs_no_list_and_frames_may_change_their_size(
    model: Model, new_photo: Callable[..., NDArray[np.uint8]]
) -> None:
    frames = [new_photo(72, 96, 0), new_photo(96, 72, 1)]
    results = list(model.track(frames, {"dog": OBJECTS["dog"][0]}))
    assert [r.masks.shape for r in results] == [(1, 72, 96), (1, 96, 72)]

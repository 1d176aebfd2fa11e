"""Between what is asked and its result the host waits for the device once, for the result.

There is no device here: a watch follows which tensors would lie on one (see conftest.py), and the same is asked of
torch's own check in tests/gpu.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seemkit import Model
from seemkit.concepts.make import make_concept
from seemkit.prompts import Box, Concept, Mask, Memory, Point, Reference, Text
from seemkit.vocabulary import Vocabulary

CLICK = Point(x=20, y=20)
NOT = Point(x=60, y=50, include=False)


def selection() -> NDArray[np.bool_]:
    mask = np.zeros((72, 96), bool)
    mask[20:40, 30:60] = True
    return mask


REQUESTS: dict[str, list[Any]] = {
    "a click": [CLICK],
    "a click and one that excludes": [CLICK, NOT],
    "a box": [Box(x1=3, y1=3, x2=40, y2=40)],
    "two texts": [Text(text="the cat"), Text(text="a dog that is long", object="b")],
    "an excluded text": [CLICK, Text(text="a dog", include=False)],
    "a memory mask": [CLICK, Memory(mask=selection())],
    "a memory that shows nothing": [CLICK, Memory(mask=np.full((16, 24), -1, np.float32))],
    "many objects": [CLICK, Text(text="the cat", object="b"), Box(x1=3, y1=3, x2=40, y2=40, object="c"), NOT],
}


@pytest.mark.parametrize("preset", ["seem_v0", "seem_v1", "seem_demo", "nano"])
@pytest.mark.parametrize("asked", REQUESTS.values(), ids=REQUESTS.keys())
def test_a_round_waits_once(
    tiny_model: Callable[[str], Model],
    photo: NDArray[np.uint8],
    watched: Callable[..., Any],
    preset: str,
    asked: list[Any],
) -> None:
    model = tiny_model(preset)
    scene = model.encode(photo)
    model.segment(scene, asked, vocabulary=["a", "b"], select="all")  # texts are encoded, once
    with watched(model, scene) as watch:
        result = model.segment(scene, asked, vocabulary=["a", "b"], select="all")
    assert watch.waits == []
    assert watch.mixed == []
    assert len(watch.fetches) == 1
    assert np.isfinite(result.logits).all()


def test_the_round_after_another_waits_once(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], watched: Callable[..., Any]
) -> None:
    model = tiny_model("nano")
    session = model.session(photo)
    session.add(CLICK)
    session.result()
    session.add(NOT)
    with watched(model, session.scene) as watch:
        session.result()
    assert (watch.waits, watch.mixed, len(watch.fetches)) == ([], [], 1)


def test_a_reference_that_is_encoded_waits_once(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], watched: Callable[..., Any]
) -> None:
    model = tiny_model("seem_v1")
    scene = model.encode(photo)
    asked = Reference(image=scene, prompts=[Mask(mask=selection())])
    with watched(model, scene) as watch:
        model.segment(scene, asked)
    assert (watch.waits, watch.mixed, len(watch.fetches)) == ([], [], 1)


def test_a_concept_waits_once(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], watched: Callable[..., Any]
) -> None:
    model = tiny_model("nano")
    scene = model.encode(photo)
    box = Reference(image=photo[::-1].copy(), prompts=[Box(x1=8, y1=6, x2=40, y2=30)])
    concept = Concept(file=make_concept(model, [box]))
    with watched(model, scene) as watch:
        model.segment(scene, concept)
    assert (watch.waits, watch.mixed, len(watch.fetches)) == ([], [], 1)


def test_the_policy_priority_waits_once(
    new_model: Callable[..., Model], photo: NDArray[np.uint8], watched: Callable[..., Any]
) -> None:
    model = new_model("seem_demo", answer_policy={"use": "priority"})
    scene = model.encode(photo)
    asked = [CLICK, Text(text="cat"), Text(text="dog", include=False)]
    model.segment(scene, asked)
    with watched(model, scene) as watch:
        model.segment(scene, asked)
    assert (watch.waits, watch.mixed, len(watch.fetches)) == ([], [], 1)


@pytest.mark.parametrize(
    ("wait", "name"),
    [
        (lambda x: bool(x.sum() > 0), "aten::_local_scalar_dense"),
        (lambda x: x.sum().item(), "aten::_local_scalar_dense"),
        (lambda x: (x > 0).nonzero(), "aten::nonzero"),
        (lambda x: x[x > 0], "aten::index"),
        (lambda x: x.masked_select(x > 0), "aten::masked_select"),
        (lambda x: torch.equal(x, x), "aten::equal"),
        (lambda x: x.tolist(), "Tensor.tolist"),
        (lambda x: x.cpu(), "Tensor.cpu"),
        (lambda x: x.numpy(), "Tensor.numpy"),
    ],
)
def test_the_watch_sees_what_waits(
    tiny_model: Callable[[str], Model],
    photo: NDArray[np.uint8],
    watched: Callable[..., Any],
    wait: Callable[[torch.Tensor], object],
    name: str,
) -> None:
    model = tiny_model("seem_v1")
    scene = model.encode(photo)
    with watched(model, scene) as watch:
        wait(scene.fine * 2)
    assert name in watch.waits
    with watched(model, scene) as watch:
        wait(torch.from_numpy(np.ones(3, np.float32)))
    assert watch.waits == []


def test_the_watch_sees_what_mixes_host_and_device(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], watched: Callable[..., Any]
) -> None:
    model = tiny_model("seem_v1")
    scene = model.encode(photo)
    with watched(model, scene) as watch:
        scene.fine + torch.tensor([1.0])
        scene.fine + torch.zeros(1)
    assert watch.mixed == ["aten::add"]


def test_labels_of_names_with_several_words_wait_for_nothing_more(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], watched: Callable[..., Any]
) -> None:
    model = tiny_model("seem_v1")
    scene = model.encode(photo)
    names = Vocabulary(["cat", "sofa"], synonyms={"sofa": ["couch"]})
    model.segment(scene, CLICK, vocabulary=names)
    with watched(model, scene) as watch:
        result = model.segment(scene, CLICK, vocabulary=names)
    assert (watch.waits, watch.mixed, len(watch.fetches)) == ([], [], 1)
    assert {name for name, _ in result.labels[0]} == {"cat", "sofa"}

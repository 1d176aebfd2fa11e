"""Torch itself refuses whatever waits for the device in a round; tests/runtime/test_host_waits.py foretells it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seemkit import Model
from seemkit.prompts import Box, Mask, Memory, Point, Reference, Text

pytestmark = pytest.mark.gpu

CLICK = Point(x=20, y=20)
NOT = Point(x=60, y=50, include=False)


def requests(scene: Any) -> list[list[Any]]:
    mask = np.zeros((72, 96), bool)
    mask[20:40, 30:60] = True
    return [
        [CLICK],
        [CLICK, NOT],
        [Box(x1=3, y1=3, x2=40, y2=40), Text(text="the cat", object="b"), Text(text="a dog", object="c")],
        [CLICK, Text(text="a dog", include=False), Memory(mask=mask)],
        [Reference(image=scene, prompts=[Mask(mask=mask)]), Memory(mask=np.full((16, 24), -1, np.float32))],
    ]


@pytest.mark.parametrize("preset", ["seem_v0", "seem_v1", "seem_demo", "nano"])
@pytest.mark.parametrize(
    "options",
    [{}, {"pin_memory": True}, {"precision": "bfloat16"}, {"cuda_graphs": True, "pin_memory": True}],
    ids=["plain", "pinned", "bfloat16", "recorded"],
)
def test_a_round_waits_for_its_result_alone(
    on_gpu: Callable[..., Model],
    photo: NDArray[np.uint8],
    waits_refused: Callable[[], None],
    preset: str,
    options: dict[str, Any],
) -> None:
    model = on_gpu(preset, **options)
    scene = model.encode(photo)
    asked = requests(scene)
    for _ in range(3):  # texts are encoded, passes recorded
        expected = [model.segment(scene, each, vocabulary=["a", "b"], select="all") for each in asked]
    waits_refused()
    for each, before in zip(asked, expected, strict=True):
        found = model.segment(scene, each, vocabulary=["a", "b"], select="all")
        np.testing.assert_allclose(found.logits, before.logits, atol=1e-4)


@pytest.mark.parametrize("preset", ["seem_v1", "nano"])
def test_the_round_after_another_waits_for_its_result_alone(
    on_gpu: Callable[..., Model], photo: NDArray[np.uint8], waits_refused: Callable[[], None], preset: str
) -> None:
    model = on_gpu(preset)
    for refuse in (False, True):
        session = model.session(photo)
        model.prepare(session.scene)
        if refuse:
            waits_refused()
        session.add(CLICK)
        session.result()
        session.add(NOT)
        assert session.result().logits is not None

"""A concept is looked for in photos; how like it the found mask is, is the cosine of mean features."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from seemkit import Model
from seemkit.concepts.find import find_concept, likeness
from seemkit.concepts.make import make_concept
from seemkit.prompts import Box, Concept, Mask, Reference


@pytest.fixture
def mask() -> NDArray[np.bool_]:
    found = np.zeros((72, 96), bool)
    found[20:50, 30:80] = True
    return found


@torch.no_grad()
def test_the_region_itself_is_as_like_as_can_be(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], mask: NDArray[np.bool_]
) -> None:
    model = tiny_model("seem_v1")
    scene = model.encode(photo)
    concept = make_concept(
        model,
        [
            Reference(image=photo, prompts=[Mask(mask=mask)]),
            Reference(image=photo, prompts=[Mask(mask=~mask)], include=False),
        ],
    )
    assert likeness(model, scene, mask, concept) == pytest.approx(1, abs=1e-4)
    assert likeness(model, scene, np.zeros_like(mask), concept) == -1
    part = mask & (np.arange(96) < 50)
    own, kept = (
        Reference(image=scene, prompts=[Mask(mask=m)]).encode(model._context(scene)).answers[0].vector
        for m in (part, mask)
    )
    assert own is not None
    assert kept is not None
    expected = torch.nn.functional.cosine_similarity(own, kept, dim=0)
    assert likeness(model, scene, part, concept) == pytest.approx(float(expected), abs=1e-5)


def test_each_photo_is_answered_as_the_prompt_is_and_one_that_cannot_be_read_is_reported(
    tiny_model: Callable[[str], Model], new_photo: Callable[..., NDArray[np.uint8]], tmp_path: Path
) -> None:
    model = tiny_model("nano")
    files = []
    for seed in range(3):
        files.append(tmp_path / f"{seed}.png")
        Image.fromarray(new_photo(48, 64, seed=seed)).save(files[-1])
    files[1].write_bytes(b"no image")
    concept = make_concept(model, Reference(image=files[0], prompts=[Box(x1=8, y1=6, x2=40, y2=30)]))
    found = list(find_concept(model, concept, [*files, tmp_path / "none.png"], vocabulary=["cat"]))
    assert [each.file.name for each in found] == ["0.png", "1.png", "2.png", "none.png"]
    assert [bool(each.problem) for each in found] == [False, True, False, True]
    for each in (found[0], found[2]):
        expected = model.segment(each.file, [Concept(file=concept)], vocabulary=["cat"])
        assert each.result is not None
        assert np.array_equal(each.result.masks, expected.masks)
        assert each.result.labels == expected.labels
        assert -1 <= each.likeness <= 1 + 1e-6

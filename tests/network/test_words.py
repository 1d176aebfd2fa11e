"""Where words point: high where a cell means what is said, nothing for objects without words."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seemkit.network.words import Words
from seemkit.prompts import Point, Text


@torch.no_grad()
def test_the_term_is_highest_where_the_text_is_meant() -> None:
    words = Words()
    meanings = torch.zeros(1, 3, 2, 4)
    meanings[:, 0] = 1.0
    meanings[0, :, 1, 2] = torch.tensor([0.0, 2.0, 0.0])
    said = torch.tensor([[0.0, 5.0, 0.0], [3.0, 0.0, 0.0]])
    found = words(meanings, said, torch.tensor([True, True]), (2, 4))
    gain, share, offset = (float(x) for x in (words.gain, words.share, words.offset))
    assert torch.allclose(found[0, 1, 2], torch.tensor(gain * (1 - share) + offset))
    assert torch.allclose(found[0, 0, 0], torch.tensor(-gain * share + offset))  # the cosine is 0 there
    assert divmod(int(found[0].argmax()), 4) == (1, 2)
    assert divmod(int(found[1].argmin()), 4) == (1, 2)


@torch.no_grad()
def test_objects_without_words_are_left_alone_and_scenes_do_not_meet() -> None:
    torch.manual_seed(0)
    words = Words()
    meanings, said = torch.randn(2, 3, 4, 4), torch.randn(4, 3)
    present = torch.tensor([True, False, True, True])
    found = words(meanings, said, present, (16, 16))
    assert not found[1].any()
    alone = words(meanings[1:], said[2:], present[2:], (16, 16))
    assert torch.allclose(found[2:], alone, atol=1e-6)


def test_a_text_moves_with_the_map_for_names_and_a_click_does_not(
    new_model: Callable[..., Any], photo: NDArray[np.uint8]
) -> None:
    model = new_model("nano")
    scene = model.encode(photo)

    def logits() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        result = model.segment(scene, [Text(text="a dog"), Point(x=20, y=20, object="b")])
        return result.logits[0], result.logits[1]

    text, click = logits()
    with torch.no_grad():
        model.network.prompts.words.offset += 3.0
    moved, same = logits()
    assert np.array_equal(click, same)
    assert not np.allclose(text, moved)

"""Where words point: high where a cell means what is said, nothing for objects without words."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from seemkit.network.words import APART, Words
from seemkit.pipeline import compose
from seemkit.pipeline.compose import CLICKS
from seemkit.prompts import Point, Reference, Text


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


@torch.no_grad()
def test_the_mask_of_what_is_meant_fits_best() -> None:
    words = Words()
    meanings = torch.zeros(1, 3, 4, 8)
    meanings[:, 0] = 1.0
    meanings[0, :, :, 2:4] = torch.tensor([0.0, 1.0, 0.0])[:, None, None]
    said = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    masks = torch.full((2, 5, 4, 8), -8.0)
    masks[:, 0, :, 2:4] = 8.0  # all of it
    masks[:, 1, :2, 2:4] = 8.0  # half of it
    masks[:, 2, :, 2:6] = 8.0  # it and as much beside it
    masks[:, 3, :, 5:7] = 8.0  # something else
    masks[:, 4, :, 2:4] = 0.5  # all of it, but unsure
    found = words.fits(meanings, said, torch.tensor([True, False]), masks)
    assert found[0].argmax() == 0
    assert found[0, 1] > found[0, 3]
    assert found[0, 2] > found[0, 3]
    within, beyond = 1.0, 0.0  # but for the sigmoid of 8, which is 0.9997
    assert abs(float(found[0, 0]) - float(words.fit) * (within - beyond)) < 0.1
    assert float(found[0, 4] - found[0, 0]) < -float(words.sure) * 0.3, "the logarithm of about 0.6"
    assert not found[1].any(), "an object without words"


@torch.no_grad()
def test_the_figure_is_that_of_its_definition_with_cosines_enlarged_to_the_masks() -> None:
    torch.manual_seed(0)
    words, meanings, said = Words(), torch.randn(1, 3, 4, 6), torch.randn(1, 3)
    masks = torch.randn(1, 2, 8, 12)
    unit = functional.normalize(meanings[0], dim=0)
    cosine = torch.einsum("d,dhw->hw", functional.normalize(said[0], dim=0), unit)
    large = functional.interpolate(cosine[None, None], size=(8, 12), mode="bilinear")[0, 0]
    found = words.fits(meanings, said, torch.tensor([True]), masks)[0]
    for k, p in enumerate(masks[0].sigmoid()):
        contrast = (p * large).sum() / p.sum() - ((1 - p) * large).sum() / (1 - p).sum()
        expected = words.fit * contrast + words.sure * ((p * p).sum() / p.sum()).log()
        assert torch.allclose(found[k], expected, atol=1e-4)


def test_what_fits_changes_which_mask_answers_a_text_and_not_a_click(
    new_model: Callable[..., Any], photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "CLICKS", 1)
    model = new_model("nano")
    scene = model.encode(photo)

    def order() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        result = model.segment(scene, [Text(text="a dog"), Point(x=20, y=20, object="b")], select="all")
        half = len(result.logits) // 2
        return result.logits[:half], result.logits[half:]

    text, click = order()
    with torch.no_grad():
        model.network.prompts.words.fit.fill_(0.0)
        model.network.prompts.words.sure.fill_(-400.0)
    other, same = order()
    assert np.array_equal(click, same)
    assert not np.allclose(text, other), "the least sure mask comes first now"
    assert np.allclose(np.sort(text, axis=0), np.sort(other, axis=0)), "of the same masks"


@torch.no_grad()
def test_a_peak_is_the_middle_of_the_highest_cell_of_the_picture() -> None:
    words = Words()
    meanings = torch.zeros(2, 2, 4, 8)
    meanings[:, 0] = 1.0
    meanings[0, :, 1, 2] = torch.tensor([0.0, 1.0])
    meanings[0, :, 3, 7] = torch.tensor([0.0, 1.0])
    meanings[1, :, 3, 7] = torch.tensor([0.0, 1.0])
    said = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    whole = torch.ones(2, 2)
    first, second = [2.5 / 8, 1.5 / 4], [7.5 / 8, 3.5 / 4]
    assert torch.allclose(words.peaks(meanings, said, whole)[:, 0], torch.tensor([first, second]))
    assert torch.allclose(words.peaks(meanings, said, whole, 2)[0], torch.tensor([first, second]))
    part = torch.tensor([[1.0, 1.0], [7 / 8, 1.0]])  # the last column of the second is padding
    x, y = words.peaks(meanings, said, part)[1, 0].tolist()
    assert x < 7 / 8
    assert 0 <= y < 1
    narrow = torch.tensor([[1.0, 1.0], [0.01, 0.01]])  # a picture of less than half a cell
    assert (words.peaks(meanings, said, narrow, 3)[1] < 0.01).all()
    within = torch.zeros(2, 4, 8, dtype=torch.bool)
    within[:, 0, 5] = True
    places = words.peaks(meanings, said, whole, 2, within)
    assert torch.allclose(places, torch.tensor([5.5 / 8, 0.5 / 4]).expand(2, 2, 2)), (
        "the only cell comes again"
    )


@torch.no_grad()
def test_peaks_are_apart() -> None:
    words = Words()
    generator = torch.Generator().manual_seed(0)
    meanings, said = torch.randn(1, 4, 12, 16, generator=generator), torch.randn(3, 4, generator=generator)
    places = words.peaks(meanings, said, torch.ones(3, 2), 4) * torch.tensor([16, 12])
    apart = (places[:, :, None] - places[:, None]).abs().amax(-1)
    assert (apart[:, ~torch.eye(4, dtype=torch.bool)] > APART).all()


def test_a_text_alone_clicks_and_a_text_beside_something_drawn_does_not(
    new_model: Callable[..., Any], photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = new_model("nano")
    scene = model.encode(photo)
    asked: list[int] = []
    peaks = model.network.words_peaks
    monkeypatch.setattr(
        model.network,
        "words_peaks",
        lambda scene, said, sizes, count: asked.append(len(sizes)) or peaks(scene, said, sizes, count),
    )
    text, click = Text(text="a dog"), Point(x=20, y=20)
    model.segment(scene, [click])
    model.segment(scene, [text, click])
    model.segment(scene, [text, Reference(image=photo, prompts=[click])])
    assert not asked
    alone = model.segment(scene, [text])
    assert asked == [CLICKS]
    assert set(alone.shares[0]) == {"phrase"}, "it is the words that click"
    together = model.segment(scene, [text, Point(x=20, y=20, object="b")])
    np.testing.assert_allclose(together.logits[0], alone.logits[0], atol=1e-4)

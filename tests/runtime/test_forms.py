"""Passes padded to few forms answer as the plain ones, and there are few forms."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seemkit import Model
from seemkit.network.rows import RowBatch
from seemkit.prompts import Box, Mask, Point, Reference, Text
from seemkit.runtime import decoding
from seemkit.runtime.decoding import DecoderSteps
from seemkit.runtime.forms import (
    COUNTS,
    LENGTHS,
    form_of,
    round_up,
    settle,
    tensors_of_rows,
    tensors_of_scene,
)

PRESETS = ["seem_v0", "seem_v1", "seem_demo", "nano"]


class Padded(DecoderSteps):
    """Pads as compiled passes are, and compiles nothing."""

    def __init__(self) -> None:
        super().__init__("default", backend="eager")
        self.forms: list[Any] = []
        outer = self

        class Plain:
            def run(self, key: Any, make: Callable[[], Any], *tensors: torch.Tensor) -> Any:
                outer.forms.append(key)
                return make()(*tensors)

        self._compiled: Any = Plain()


@pytest.fixture
def padded(new_model: Callable[..., Model]) -> Callable[[str], tuple[Model, Padded]]:
    def build(preset: str) -> tuple[Model, Padded]:
        model = new_model(preset)
        steps = Padded()
        model.runtime._decoder = steps
        return model, steps

    return build


def ask(model: Model, photo: NDArray[np.uint8]) -> list[Any]:
    mask = np.zeros((72, 96), bool)
    mask[10:60, 20:80] = True
    scene = model.encode(photo)
    click, no = Point(x=20, y=20), Point(x=60, y=50, include=False)
    reference = Reference(image=photo[:, ::-1].copy(), prompts=[Mask(mask=mask)], object="e")
    texts = [Text(text="a cat", object="b"), Text(text="the very long brown dog", object="c")]
    session = model.session(scene)
    rounds = []
    for prompt in (click, no, texts[0], Box(x1=3, y1=3, x2=40, y2=40, object="d")):
        session.add(prompt)
        rounds.append(session.result())
    return [
        *rounds,
        model.segment(scene, [click, no], select="all"),
        model.segment(scene, texts, select="all"),
        model.segment(scene, [*texts, click, Mask(mask=mask, object="b"), reference], select=3),
        model.everything(scene, vocabulary=["a", "b"], task="instance"),
    ]


@pytest.mark.parametrize("preset", PRESETS)
def test_padding_moves_answers_by_rounding_only(
    padded: Callable[[str], tuple[Model, Padded]],
    tiny_model: Callable[[str], Model],
    photo: NDArray[np.uint8],
    preset: str,
) -> None:
    model, steps = padded(preset)
    for one, other in zip(ask(tiny_model(preset), photo), ask(model, photo), strict=True):
        assert one.objects == other.objects
        np.testing.assert_allclose(one.logits, other.logits, atol=5e-5)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)
    assert len(steps.forms) == 8


def test_sessions_of_clicks_have_few_forms(
    padded: Callable[[str], tuple[Model, Padded]], photo: NDArray[np.uint8]
) -> None:
    model, steps = padded("seem_v1")
    rng = np.random.default_rng(0)
    for _ in range(3):
        session = model.session(photo)
        for _ in range(8):
            session.add(Point(x=int(rng.integers(96)), y=int(rng.integers(72))))
            session.result()
    assert len(steps.forms) == 24
    # 9 points a click: up to 32 and up to 128, without and with memory; the first round has none
    assert len(set(steps.forms)) <= 3


def test_lengths_and_counts_rise_in_steps() -> None:
    assert [round_up(n, LENGTHS) for n in (0, 1, 32, 33, 128, 513, 1024, 1025, 3000)] == [
        32, 32, 32, 128, 128, 1024, 1024, 2048, 3072,
    ]  # fmt: skip
    assert [round_up(n, COUNTS) for n in (1, 3, 16, 17, 100)] == [1, 4, 16, 32, 112]


def test_what_is_padded_is_marked_and_queries_keep_their_number() -> None:
    rows = [
        RowBatch("query", torch.ones(3, 8, 4), torch.ones(3, 8, 4)),
        RowBatch("region", (torch.ones(3, 5, 4),) * 3, (torch.ones(3, 5, 4),) * 3, torch.zeros(3, 5).bool()),
        RowBatch("phrase", torch.ones(3, 7, 4), torch.ones(3, 7, 4)),
        RowBatch("memory", torch.ones(3, 6, 4), torch.ones(3, 6, 4), attends=torch.ones(3, 2, 2)),
    ]
    (query, region, phrase, memory), bias = settle(rows, torch.ones(3, 2, 2))
    assert [query.length, region.length, phrase.length, memory.length] == [8, 32, 32, 6]
    assert {x.at(0)[0].shape[0] for x in (query, region, phrase, memory)} == {4}
    assert query.padding is None
    for batch, length in ((region, 5), (phrase, 7), (memory, 6)):
        missing = batch.missing(0)
        assert missing is not None
        assert not missing[:3, :length].any()
        assert missing[:3, length:].all()
        assert missing[3].all()
    assert memory.attends is not None
    assert bias is not None
    assert len(memory.attends) == len(bias) == 4


def test_a_pass_is_rebuilt_as_it_was(tiny_model: Callable[[str], Model], photo: NDArray[np.uint8]) -> None:
    model = tiny_model("nano")
    scene = model.prepare(model.encode(photo))
    rows = [
        RowBatch("query", torch.randn(2, 8, 32), torch.randn(2, 8, 32)),
        RowBatch(
            "region",
            tuple(torch.randn(2, 5, 32) for _ in range(3)),
            tuple(torch.randn(2, 5, 32) for _ in range(3)),
            tuple(torch.rand(2, 5) > 0.5 for _ in range(3)),
        ),
        RowBatch("memory", torch.randn(2, 4, 32), torch.randn(2, 4, 32), attends=torch.randn(2, 16, 24)),
    ]
    bias = torch.randn(2, 16, 24)
    form = form_of(scene, rows, bias)
    tensors = [*tensors_of_scene(scene), *tensors_of_rows(rows, bias)]
    seen, again, term = form.rebuild(tensors)
    assert hash(form) == hash(form_of(seen, again, term))
    rebuilt = [*tensors_of_scene(seen), *tensors_of_rows(again, term)]
    assert all(a is b for a, b in zip(tensors, rebuilt, strict=True))
    heads, decoder = model.network.heads, model.network.decoder
    one, other = decoder(scene, rows, heads, bias=bias), decoder(seen, again, heads, bias=term)
    assert torch.equal(one.mask_embeddings, other.mask_embeddings)


def test_passes_whose_rows_are_drawn_are_not_padded(
    new_model: Callable[..., Model], assembly: Callable[..., Any], photo: NDArray[np.uint8]
) -> None:
    decoder = {**assembly()["mask_decoder"], "legacy": {"drawn_memory": True}}
    model = new_model(mask_decoder=decoder)
    expected = model.session(photo)
    expected.add(Point(x=20, y=20), Point(x=50, y=50, object="b"))
    expected.result()
    expected.add(Point(x=30, y=20))
    plain = expected.result()
    steps = Padded()
    model.runtime._decoder = steps
    session = model.session(photo)
    session.add(Point(x=20, y=20), Point(x=50, y=50, object="b"))
    session.result()
    before = len(steps.forms)
    session.add(Point(x=30, y=20))
    np.testing.assert_allclose(session.result().logits, plain.logits, atol=5e-5)
    assert len(steps.forms) == before


def test_there_is_room_for_the_forms_of_a_session() -> None:
    # each length of points, with and without memory, alone or with one or two lengths of phrases
    assert len(LENGTHS) * 2 * 3 <= decoding.FORMS

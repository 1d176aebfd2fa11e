"""Recorded passes: fixed inputs, replayed, bounded, and given up with a sentence.

The recorder here only pretends: it computes anew at each replay, from the fixed tensors into the fixed outputs, as a
CUDA graph does. Capture and replay themselves are tested in tests/gpu.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from seemkit import Model
from seemkit.prompts import Box, Point, Text
from seemkit.runtime import graphs as room
from seemkit.runtime.decoding import DecoderSteps
from seemkit.runtime.graphs import Graphs, Recorded

CLICK = Point(x=20, y=20)


class Pretend:
    """A recorder that needs no GPU."""

    def __init__(self) -> None:
        self.records = self.replays = self.settled = 0
        self.order_of_calls: list[str] = []
        self.error: Exception | None = None

    def record(self, run: Callable[[], tuple[Tensor, ...]]) -> Recorded:
        if self.error is not None:
            raise self.error
        self.records += 1
        outputs = tuple(x.clone() for x in run())

        def replay() -> None:
            self.replays += 1
            self.order_of_calls.append("replay")
            for place, x in zip(outputs, run(), strict=True):
                place.copy_(x)

        return Recorded(replay, outputs)

    def order(self) -> None:
        self.order_of_calls.append("order")

    def done(self) -> None:
        self.order_of_calls.append("done")

    def settle(self) -> None:
        self.settled += 1


class Scene:
    """Something to refer to weakly."""


def double(x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    return x * 2 + y, x - y


@pytest.fixture
def recorder() -> Pretend:
    return Pretend()


def recorded(model: Model, recorder: Pretend) -> Graphs:
    steps = DecoderSteps(None, graphs=True, recorder=recorder)
    model.runtime._decoder = steps
    assert steps._graphs is not None
    return steps._graphs


def test_a_form_is_recorded_when_it_is_seen_again(recorder: Pretend) -> None:
    graphs, scene = Graphs(recorder), Scene()
    for turn in range(4):
        held, given = torch.full((2,), 3.0), torch.full((2,), float(turn))
        plus, minus = graphs.run("key", double, scene, [held], [given])
        assert torch.equal(plus, held * 2 + given)
        assert torch.equal(minus, held - given)
    assert (recorder.records, recorder.replays, len(graphs)) == (1, 3, 1)
    assert recorder.order_of_calls[-3:] == ["order", "replay", "done"]


def test_answers_are_not_overwritten_by_the_next_replay(recorder: Pretend) -> None:
    graphs, scene, held = Graphs(recorder), Scene(), [torch.ones(2)]
    found = [graphs.run("key", double, scene, held, [torch.full((2,), float(i))])[0] for i in range(4)]
    assert [float(x[0]) for x in found] == [2.0, 3.0, 4.0, 5.0]


def test_what_the_scene_gives_is_copied_when_the_scene_changes_only(
    recorder: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[int] = []
    copy = room._copy

    def counted(places: Any, tensors: Any) -> None:
        copied.append(int(tensors[0].numel()))
        copy(places, tensors)

    monkeypatch.setattr(room, "_copy", counted)
    graphs = Graphs(recorder)
    scenes = [(Scene(), [torch.full((5, 1), float(k))]) for k in (1, 2)]
    given = [torch.zeros(1)]
    answers = []
    for k in (0, 0, 0, 0, 1, 1, 0):
        copied.clear()
        scene, held = scenes[k]
        answers.append((float(graphs.run("key", double, scene, held, given)[0][0, 0]), copied.count(5)))
    # of the second call one copy is for the recording
    assert answers == [(2.0, 0), (2.0, 2), (2.0, 0), (2.0, 0), (4.0, 1), (4.0, 0), (2.0, 1)]


def test_a_scene_at_the_address_of_one_that_has_gone_is_copied(recorder: Pretend) -> None:
    graphs, given = Graphs(recorder), [torch.zeros(1)]
    for value in range(6):
        scene = Scene()
        assert (
            float(graphs.run("key", double, scene, [torch.full((1,), float(value))], given)[0]) == 2 * value
        )
        del scene


def test_forms_share_the_tensors_of_a_scene_of_one_size(recorder: Pretend) -> None:
    graphs, scene, held = Graphs(recorder), Scene(), [torch.ones(4, 1)]
    for length in (1, 2, 3, 1, 2, 3):
        graphs.run("key", double, scene, held, [torch.zeros(length)])
    assert len(graphs) == 3
    assert len(graphs._slots) == 1


def test_the_form_used_longest_ago_goes_first(recorder: Pretend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "GRAPHS", 2)
    graphs, scene, held = Graphs(recorder), Scene(), [torch.ones(1)]

    def ask(length: int) -> None:
        assert graphs.run("key", double, scene, held, [torch.zeros(length)])[0].shape == (length,)

    for length in (1, 1, 2, 2, 1, 3, 3):
        ask(length)
    assert (recorder.records, len(graphs), recorder.settled) == (3, 2, 1)
    ask(1)
    assert recorder.records == 3
    ask(2)  # it has gone, and is seen for the first time again
    assert recorder.records == 3
    ask(2)
    assert (recorder.records, len(graphs)) == (4, 2)


def test_sizes_of_scenes_are_bounded_and_take_their_forms_along(recorder: Pretend) -> None:
    graphs = Graphs(recorder)
    for cells in (1, 2, 3):
        scene, held = Scene(), [torch.ones(cells, 1)]
        for length in (1, 1, 2, 2):
            graphs.run("key", double, scene, held, [torch.zeros(length)])
    assert len(graphs._slots) == room.SCENES == 2
    assert len(graphs) == 4
    assert all(graph.slot in graphs._slots.values() for graph in graphs._graphs.values())


def test_forms_that_are_seen_once_leave_nothing(recorder: Pretend) -> None:
    graphs, scene = Graphs(recorder), Scene()
    for length in range(1, 1000):
        graphs.run("key", double, scene, [torch.ones(1)], [torch.zeros(length)])
    assert (recorder.records, len(graphs)) == (0, 0)
    assert len(graphs._seen) <= 16 * room.GRAPHS + 1


def test_what_cannot_be_recorded_runs_as_it_is_and_is_said_once(
    recorder: Pretend, caplog: pytest.LogCaptureFixture
) -> None:
    graphs, scene, held = Graphs(recorder), Scene(), [torch.ones(1)]
    recorder.error = RuntimeError("operation not permitted when stream is capturing\nmore lines")
    with caplog.at_level(logging.WARNING, "seemkit"):
        for turn in range(5):
            found = graphs.run("key", double, scene, held, [torch.full((1,), float(turn))])
            assert float(found[0]) == 2 + turn
    said = [record.getMessage() for record in caplog.records if record.name == "seemkit"]
    assert len(said) == 1
    assert said[0].startswith(
        "the decoder could not be recorded as a CUDA graph and runs as it is, for torch said "
    )
    assert "RuntimeError: operation not permitted when stream is capturing more lines" in said[0]
    assert graphs.broken
    assert len(graphs) == len(graphs._slots) == 0


@pytest.mark.parametrize("preset", ["seem_v1", "nano"])
def test_sessions_answer_the_same_from_recordings(
    new_model: Callable[..., Model],
    tiny_model: Callable[[str], Model],
    new_photo: Callable[..., NDArray[np.uint8]],
    recorder: Pretend,
    preset: str,
) -> None:
    photos = [new_photo(72, 96, seed) for seed in range(2)]
    prompts = (CLICK, Point(x=60, y=50, include=False), Text(text="a cat", object="b"))

    def talk(model: Model) -> list[Any]:
        said = []
        for photo in (*photos, photos[0]):
            session = model.session(photo)
            for prompt in prompts:
                session.add(prompt)
                said.append(session.result())
        return said

    model = new_model(preset)
    graphs = recorded(model, recorder)
    for one, other in zip(talk(tiny_model(preset)), talk(model), strict=True):
        np.testing.assert_allclose(one.logits, other.logits, atol=5e-5)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)
    assert recorder.records == len(graphs) == 3
    assert recorder.replays == 6


def test_a_recording_falls_when_weights_move_and_sees_those_that_change_in_place(
    new_model: Callable[..., Model], photo: NDArray[np.uint8], recorder: Pretend
) -> None:
    model, plain = new_model(), new_model()
    recorded(model, recorder)

    def same() -> None:
        scenes = model.encode(photo), plain.encode(photo)
        one, other = (m.segment(s, CLICK).logits for m, s in zip((model, plain), scenes, strict=True))
        np.testing.assert_allclose(one, other, atol=5e-5)

    for _ in range(3):
        same()
    assert recorder.records == 1
    with torch.no_grad():
        for each in (model, plain):
            each.network.heads.mask_mlp[2].bias.add_(1)
    same()
    assert recorder.records == 1
    for each in (model, plain):
        bias = each.network.heads.mask_mlp[2].bias
        bias.data = bias.data + 1
    for _ in range(2):
        same()
    assert recorder.records == 2


def test_compiled_passes_are_recorded_too(
    new_model: Callable[..., Model], photo: NDArray[np.uint8], recorder: Pretend
) -> None:
    model = new_model()
    scene = model.encode(photo)
    expected = model.segment(scene, CLICK)
    steps = DecoderSteps("default", graphs=True, backend="eager", recorder=recorder)
    model.runtime._decoder = steps
    for _ in range(3):
        np.testing.assert_allclose(model.segment(scene, CLICK).logits, expected.logits, atol=5e-5)
    assert steps._compiled is not None
    assert (len(steps._compiled), recorder.records, recorder.replays) == (1, 1, 2)
    torch._dynamo.reset()


def test_threads_share_recordings(
    new_model: Callable[..., Model], new_photo: Callable[..., NDArray[np.uint8]], recorder: Pretend
) -> None:
    model, plain = new_model(), new_model()
    recorded(model, recorder)
    photos = [new_photo(72, 96, seed) for seed in range(4)]
    asked = [[CLICK], [CLICK, Box(x1=3, y1=3, x2=40, y2=40, object="b")], [Text(text="a cat")]]
    pairs = [(photo, prompts) for photo in photos for prompts in asked] * 2
    expected = [plain.segment(photo, prompts).logits for photo, prompts in pairs]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda pair: model.segment(*pair).logits, pairs))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, atol=5e-5)
    assert recorder.records == 3

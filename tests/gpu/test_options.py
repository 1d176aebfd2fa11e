"""Compiled, recorded and pinned: the same answers, in bounded memory, from any thread."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seemkit import Model
from seemkit.network.transfer import fetch, send
from seemkit.prompts import Box, Point, Text
from seemkit.runtime.graphs import GRAPHS, SCENES

pytestmark = pytest.mark.gpu

CLICK = Point(x=20, y=20)


def rounds(model: Model, photo: NDArray[np.uint8]) -> list[Any]:
    session = model.session(photo, vocabulary=["a", "b"])
    said = []
    for prompt in (CLICK, Point(x=60, y=50, include=False), Text(text="a cat", object="b")):
        session.add(prompt)
        said.append(session.result())
    return said


def same(one: list[Any], other: list[Any], atol: float = 1e-3) -> None:
    for a, b in zip(one, other, strict=True):
        assert a.objects == b.objects
        np.testing.assert_allclose(a.logits, b.logits, atol=atol)
        np.testing.assert_allclose(a.scores, b.scores, atol=atol)


def graphs_of(model: Model) -> Any:
    found = model.runtime._decoder._graphs
    assert found is not None
    return found


@pytest.mark.parametrize("preset", ["seem_v1", "nano"])
def test_recorded_rounds_answer_the_same(
    on_gpu: Callable[..., Model], new_photo: Callable[..., NDArray[np.uint8]], preset: str
) -> None:
    plain, recorded = on_gpu(preset), on_gpu(preset, cuda_graphs=True)
    for seed in range(4):
        photo = new_photo(72, 96, seed)
        same(rounds(plain, photo), rounds(recorded, photo))
    assert not graphs_of(recorded).broken
    assert len(graphs_of(recorded)) == 3


def test_a_recording_that_fails_is_said_and_the_round_goes_on(
    on_gpu: Callable[..., Model],
    photo: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    plain, recorded = on_gpu(), on_gpu(cuda_graphs=True)
    forward = recorded.network.decoder.forward

    def waits(*given: Any, **more: Any) -> Any:
        decoded = forward(*given, **more)
        float(decoded.queries.sum())  # waiting is not permitted while a graph is recorded
        return decoded

    monkeypatch.setattr(recorded.network.decoder, "forward", waits)
    expected = rounds(plain, photo)
    for _ in range(3):
        same(expected, rounds(recorded, photo))
    assert graphs_of(recorded).broken
    said = [r.getMessage() for r in caplog.records if r.name == "seemkit"]
    assert len(said) == 1
    assert said[0].startswith("the decoder could not be recorded as a CUDA graph and runs as it is")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_recorded_rounds_in_reduced_precision_answer_the_same(
    on_gpu: Callable[..., Model], photo: NDArray[np.uint8], precision: str
) -> None:
    plain, recorded = on_gpu(precision=precision), on_gpu(precision=precision, cuda_graphs=True)
    scenes = plain.encode(photo), recorded.encode(photo)
    expected = plain.segment(scenes[0], CLICK, select="all")
    for _ in range(3):
        found = recorded.segment(scenes[1], CLICK, select="all")
        np.testing.assert_allclose(np.sort(found.scores), np.sort(expected.scores), atol=0.02)
    assert len(graphs_of(recorded)) == 1


def test_recordings_are_bounded_and_give_their_memory_back(
    on_gpu: Callable[..., Model], new_photo: Callable[..., NDArray[np.uint8]]
) -> None:
    model = on_gpu("seem_v1", cuda_graphs=True)
    reserved = []
    for turn in range(4):
        for side in (64, 80, 96, 112, 128):
            photo = new_photo(64, side, side)
            scene = model.encode(photo)
            for prompts in (
                [CLICK],
                [CLICK, Text(text="a cat")],
                [CLICK, Box(x1=1, y1=1, x2=30, y2=30, object="b")],
            ):
                for _ in range(3):
                    model.segment(scene, prompts)
        assert len(graphs_of(model)) <= GRAPHS
        assert len(graphs_of(model)._slots) <= SCENES
        torch.cuda.synchronize()
        if turn:
            reserved.append(torch.cuda.memory_reserved())
    assert not graphs_of(model).broken
    assert reserved[-1] <= 1.1 * reserved[0], reserved


@pytest.mark.parametrize("preset", ["seem_v1", "nano"])
def test_compiled_models_answer_the_same(
    on_gpu: Callable[..., Model], photo: NDArray[np.uint8], preset: str
) -> None:
    plain, compiled = on_gpu(preset), on_gpu(preset, compile=True)
    torch.testing.assert_close(compiled.encode(photo).fine, plain.encode(photo).fine, atol=1e-3, rtol=1e-3)
    same(rounds(plain, photo), rounds(compiled, photo), atol=5e-3)
    assert compiled.runtime._encoder is not None
    assert len(compiled.runtime._encoder) == 1
    assert compiled.runtime._decoder._compiled is not None
    assert len(compiled.runtime._decoder._compiled) == 3


def test_everything_together_answers_as_its_precision_does(
    on_gpu: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    options: dict[str, Any] = {"compile": True, "cuda_graphs": True, "pin_memory": True}
    plain, model = on_gpu("nano", precision="bfloat16"), on_gpu("nano", precision="bfloat16", **options)
    expected = [result.scores for result in rounds(plain, photo)]
    for _ in range(3):
        for scores, result in zip(expected, rounds(model, photo), strict=True):
            np.testing.assert_allclose(result.scores, scores, atol=0.05)
    assert not graphs_of(model).broken


def test_pinned_transfers_bring_the_same_and_leave_nothing_pinned(
    on_gpu: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    same(rounds(on_gpu(), photo), rounds(on_gpu(pin_memory=True), photo), atol=0)
    cuda = torch.device("cuda")
    there = send(torch.arange(1000), cuda, pinned=True)
    assert there.device.type == "cuda"
    (back,) = fetch([there * 2], pinned=True)
    np.testing.assert_array_equal(back, np.arange(1000) * 2)
    assert not torch.from_numpy(back).is_pinned()


@pytest.mark.parametrize("options", [{}, {"cuda_graphs": True}, {"pin_memory": True, "cuda_graphs": True}])
def test_threads_with_streams_of_their_own_give_the_serial_results(
    on_gpu: Callable[..., Model], new_photo: Callable[..., NDArray[np.uint8]], options: dict[str, Any]
) -> None:
    plain, shared = on_gpu("nano"), on_gpu("nano", **options)
    photos = [new_photo(72, 96, seed) for seed in range(8)]
    expected = [rounds(plain, photo) for photo in photos]

    def talk(photo: NDArray[np.uint8]) -> list[Any]:
        with torch.cuda.stream(torch.cuda.Stream()):
            return rounds(shared, photo)

    for _ in range(2):
        with ThreadPoolExecutor(4) as pool:
            for one, other in zip(expected, pool.map(talk, photos), strict=True):
                same(one, other)


def test_bfloat16_keeps_scenes_in_half_the_memory_and_encodes_in_less(
    on_gpu: Callable[..., Model], new_photo: Callable[..., NDArray[np.uint8]]
) -> None:
    photo, peaks, kept = new_photo(128, 128, 0), [], []
    for precision in ("float32", "bfloat16"):
        model = on_gpu("seem_v1", precision=precision)
        model.encode(photo)
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        scene = model.encode(photo)
        peaks.append(torch.cuda.max_memory_allocated() - before)
        kept.append(sum(x.nbytes for x in (*scene.levels, scene.fine)))
    assert 2 * kept[1] == kept[0]
    assert peaks[1] < peaks[0]


def test_objects_are_decoded_in_the_memory_that_the_budget_allows(
    on_gpu: Callable[..., Model], new_photo: Callable[..., NDArray[np.uint8]]
) -> None:
    photo = new_photo(128, 128, 0)
    asked = [Point(x=3 + i, y=3 + i, object=str(i)) for i in range(100)]
    peaks = []
    for budget in (1, 400):
        model = on_gpu("seem_v1", memory_budget=budget)
        scene = model.encode(photo)
        model.segment(scene, asked[:1])
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        assert len(model.segment(scene, asked)) == 100
        peaks.append(torch.cuda.max_memory_allocated() - before)
    assert peaks[0] < peaks[1]


def test_what_one_stream_prepares_is_whole_on_another(
    on_gpu: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    model, plain = on_gpu(), on_gpu()
    asked = [CLICK, Text(text="a cat", object="b")]
    expected = plain.segment(photo, asked).logits
    scene = model.encode(photo)
    torch.cuda.synchronize()
    slow, other = torch.cuda.Stream(), torch.cuda.Stream()
    with torch.cuda.stream(slow):
        torch.cuda._sleep(200_000_000)  # cycles: what follows on this stream is late
        model.prepare(scene)
        model._phrases(["a cat"])
    with torch.cuda.stream(other):
        np.testing.assert_allclose(model.segment(scene, asked).logits, expected, atol=1e-4)

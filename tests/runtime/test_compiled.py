"""The encoder and a decoder pass compile whole, for a bounded number of shapes, and answer the same.

The backends here trace and do not generate code, which takes minutes; the one that does is marked slow.
"""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seemkit import Model
from seemkit.assembly import RuntimeSection
from seemkit.prompts import Box, Point, Text
from seemkit.runtime.compiled import CompiledSteps
from seemkit.runtime.decoding import decoder_step
from seemkit.runtime.forms import form_of, settle, tensors_of_rows, tensors_of_scene
from seemkit.runtime.runtime import Runtime

ASKED = [Point(x=20, y=20), Text(text="a cat", object="b"), Box(x1=3, y1=3, x2=40, y2=40, object="c")]


def compiled(model: Model, backend: str, **options: Any) -> Runtime:
    model.runtime = Runtime(RuntimeSection(compile=True, **options), backend=backend)
    return model.runtime


@pytest.fixture
def small_model(new_model: Callable[..., Model], assembly: Callable[..., Any]) -> Callable[..., Model]:
    """As `new_model`, with a decoder of two layers."""

    def build(preset: str = "seem_v1", **slots: Any) -> Model:
        return new_model(preset, mask_decoder={**assembly(preset)["mask_decoder"], "layers": 2}, **slots)

    return build


@pytest.fixture(autouse=True)
def forget_what_was_compiled() -> Any:
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize("preset", ["seem_v1", "nano"])
def test_the_pass_of_a_round_has_no_break(
    small_model: Callable[..., Model], photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, preset: str
) -> None:
    model = small_model(preset)
    passes: list[Any] = []
    forward = model.network.decoder.forward

    def spy(prepared: Any, rows: Any, heads: Any, **more: Any) -> Any:
        passes.append((prepared, rows, more["bias"]))
        return forward(prepared, rows, heads, **more)

    session = model.session(photo)
    session.add(*ASKED)
    session.result()
    session.add(Point(x=60, y=50, include=False))
    with monkeypatch.context() as patch:
        patch.setattr(model.network.decoder, "forward", spy)
        session.result()
    ((prepared, rows, bias),) = passes
    settled, term = settle(rows, bias)
    assert {batch.role for batch in settled} == {"query", "region", "phrase", "memory"}
    step = decoder_step(model.network, form_of(prepared, settled, term))
    with torch.no_grad():
        found = torch._dynamo.explain(step)(*tensors_of_scene(prepared), *tensors_of_rows(settled, term))
    assert found.graph_break_count == 0, found.break_reasons
    assert found.graph_count == 1


def test_a_compiled_model_answers_the_same(
    small_model: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    model = small_model("nano")
    scene = model.encode(photo)
    expected = model.segment(scene, ASKED, select="all")
    runtime = compiled(model, "aot_eager")
    again = model.encode(photo)
    torch.testing.assert_close(again.fine, scene.fine, atol=1e-4, rtol=1e-4)
    for _ in range(2):
        found = model.segment(scene, ASKED, select="all")
        np.testing.assert_allclose(found.logits, expected.logits, atol=5e-5)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
    assert runtime._encoder is not None
    assert runtime._decoder._compiled is not None
    assert len(runtime._encoder) == len(runtime._decoder._compiled) == 1


def test_a_compiled_model_in_bfloat16_answers_the_same(
    small_model: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    model = small_model("seem_v1", runtime={"precision": "bfloat16"})
    scene = model.encode(photo)
    expected = model.segment(scene, ASKED, select="all")
    compiled(model, "aot_eager", precision="bfloat16")
    assert model.encode(photo).fine.dtype == torch.bfloat16
    model._prepared.clear()
    found = model.segment(scene, ASKED, select="all")
    np.testing.assert_allclose(np.sort(found.scores), np.sort(expected.scores), atol=0.02)


def test_a_bounded_number_of_input_sizes_is_compiled(
    small_model: Callable[..., Model], new_photo: Callable[..., NDArray[np.uint8]]
) -> None:
    model, plain = small_model(), small_model()
    runtime = compiled(model, "eager", compile_sizes=2)
    assert runtime._encoder is not None
    for width, known in ((64, 1), (96, 2), (128, 2), (64, 2)):
        photo = new_photo(64, width, width)
        assert torch.equal(model.encode(photo).fine, plain.encode(photo).fine)
        assert len(runtime._encoder) == known


def test_each_shape_has_a_budget_of_its_own() -> None:
    # torch gives up on code that it had to compile 8 times, and says so in its log only
    made = 0

    def backend(graph: Any, inputs: Any) -> Any:
        nonlocal made
        made += 1
        return graph

    steps = CompiledSteps("it", "default", 20, whole=True, backend=backend)
    for size in (*range(1, 15), *range(1, 15)):

        def double(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return (2 * x,)

        (found,) = steps.run(size, lambda step=double: step, torch.ones(size))  # type: ignore[misc]
        assert found.shape == (size,)
    assert made == len(steps) == 14


def test_what_cannot_be_compiled_runs_as_it_is_and_is_said_once(
    small_model: Callable[..., Model],
    photo: NDArray[np.uint8],
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = small_model()
    scene = model.encode(photo)
    expected = model.segment(scene, ASKED)

    def backend(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("there is no compiler\nand more lines")

    model.runtime = Runtime(RuntimeSection(compile=True), backend=backend)  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING, "seemkit"):
        for _ in range(2):
            found = model.segment(scene, ASKED)
            np.testing.assert_allclose(found.logits, expected.logits, atol=5e-5)
        said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert said[0].startswith("the decoder could not be compiled and runs as it is, for torch said ")
    assert "there is no compiler" in said[0]
    assert "\n" not in said[0]


def test_an_error_of_the_step_itself_is_raised() -> None:
    steps = CompiledSteps("it", "default", 2, backend="eager")

    def step(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (x.view(7),)

    with pytest.raises(RuntimeError, match="7"):
        steps.run("a", lambda: step, torch.ones(3))


def test_weights_that_change_in_place_are_seen(
    small_model: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    model = small_model()
    compiled(model, "eager")
    before = model.segment(photo, ASKED)
    with torch.no_grad():
        model.network.heads.mask_mlp[2].bias.add_(1)
    after = model.segment(photo, ASKED)
    model.runtime = Runtime()
    np.testing.assert_allclose(after.logits, model.segment(photo, ASKED).logits, atol=5e-5)
    assert not np.array_equal(before.logits, after.logits)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_generated_code_answers_the_same(
    small_model: Callable[..., Model], photo: NDArray[np.uint8], precision: Any
) -> None:
    model = small_model("nano", runtime={"precision": precision})
    scene = model.encode(photo)
    expected = model.segment(scene, ASKED, select="all")
    runtime = compiled(model, "inductor", precision=precision)
    again = model.encode(photo)
    single = precision == "float32"
    torch.testing.assert_close(
        again.fine, scene.fine, atol=1e-4 if single else 0.1, rtol=1e-4 if single else 0.1
    )
    found = model.segment(scene, ASKED, select="all")
    np.testing.assert_allclose(found.logits, expected.logits, atol=5e-5 if single else 0.1)
    assert runtime._encoder is not None
    assert runtime._decoder._compiled is not None
    assert len(runtime._encoder) == len(runtime._decoder._compiled) == 1

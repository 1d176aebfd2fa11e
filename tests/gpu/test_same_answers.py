"""On CUDA a model answers as on the CPU: closely in float32, and as masks go in reduced precision."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import data

import seemkit
from seemkit import Model
from seemkit.prompts import Box, Memory, Point, Reference, Scribble, Text

pytestmark = pytest.mark.gpu

PRESETS = ["seem_v0", "seem_v1", "seem_demo", "nano"]


def ask(model: Model, photo: NDArray[np.uint8]) -> list[Any]:
    mask = np.zeros((72, 96), bool)
    mask[20:40, 30:60] = True
    session = model.session(photo)
    session.add(Point(x=20, y=20), Box(x1=3, y1=3, x2=40, y2=40, object="b"))
    first = session.result()
    session.add(Point(x=60, y=50, include=False), Text(text="a cat", object="c"))
    return [
        first,
        session.result(),
        model.segment(
            session.scene,
            [
                Reference(image=photo[:, ::-1].copy(), prompts=[Point(x=20, y=20)]),
                Memory(mask=mask, object="c"),
                Scribble(points=[(4, 4), (40, 30)], width=5, object="c"),
            ],
            vocabulary=["a", "b"],
            select="all",
        ),
    ]


@pytest.mark.parametrize("preset", PRESETS)
def test_float32_is_that_of_the_cpu(
    on_gpu: Callable[..., Model], tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], preset: str
) -> None:
    here, there = tiny_model(preset), on_gpu(preset)
    for a, b in zip(here.encode(photo).levels, there.encode(photo).levels, strict=True):
        assert b.device.type == "cuda"
        torch.testing.assert_close(b.cpu(), a, atol=1e-3, rtol=1e-3)
    for one, other in zip(ask(here, photo), ask(there, photo), strict=True):
        assert one.objects == other.objects
        np.testing.assert_allclose(np.sort(one.scores), np.sort(other.scores), atol=1e-3)
        np.testing.assert_allclose(one.selection, other.selection, atol=1e-3)
        assert np.abs(one.logits - other.logits).max() < 5e-3


@pytest.mark.parametrize("options", [{"precision": "bfloat16"}, {"precision": "float16"}, {"tf32": True}])
def test_masks_of_a_real_photo_move_little_in_reduced_precision(options: dict[str, Any]) -> None:
    cat = data.chelsea()
    single = seemkit.load("nano", device="cpu")
    reduced = seemkit.load(
        "nano", device="cuda", overrides={f"runtime.{name}": value for name, value in options.items()}
    )
    scenes = single.encode(cat), reduced.encode(cat)
    found = []
    asked: list[list[Any]] = [
        [Point(x=230, y=150)],
        [Box(x1=120, y1=20, x2=340, y2=280)],
        [Scribble(points=[(180, 100), (280, 180)], width=9)],
        [Text(text="the cat's face")],
    ]
    for prompts in asked:
        one, other = (m.segment(s, prompts) for m, s in zip((single, reduced), scenes, strict=True))
        both, either = (one.masks[0] & other.masks[0]).sum(), (one.masks[0] | other.masks[0]).sum()
        found.append(both / either)
    assert min(found) > 0.97, found


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_every_preset_and_prompt_runs_in_reduced_precision(
    on_gpu: Callable[..., Model],
    tiny_model: Callable[[str], Model],
    photo: NDArray[np.uint8],
    preset: str,
    precision: str,
) -> None:
    for one, other in zip(
        ask(tiny_model(preset), photo), ask(on_gpu(preset, precision=precision), photo), strict=True
    ):
        assert other.logits.dtype == np.float32
        np.testing.assert_allclose(np.sort(other.scores), np.sort(one.scores), atol=0.05)


@pytest.mark.parametrize("task", ["panoptic", "instance", "semantic"])
def test_everything_mode_is_that_of_the_cpu(
    on_gpu: Callable[..., Model], tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], task: Any
) -> None:
    one = tiny_model("seem_v1").everything(photo, vocabulary=["a", "b"], task=task)
    other = on_gpu("seem_v1").everything(photo, vocabulary=["a", "b"], task=task)
    assert one.objects == other.objects
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)


def test_the_same_request_gives_the_same_bits(on_gpu: Callable[..., Model], photo: NDArray[np.uint8]) -> None:
    model = on_gpu("nano")
    scene = model.encode(photo)
    asked = [Point(x=20, y=20), Point(x=60, y=50, include=False)]
    first = model.segment(scene, asked)
    for _ in range(3):
        np.testing.assert_array_equal(model.segment(scene, asked[::-1]).logits, first.logits)


def test_tf32_is_off_unless_it_is_asked_for(on_gpu: Callable[..., Model]) -> None:
    if torch.cuda.get_device_capability() < (8, 0):
        pytest.skip("this card has no TF32")
    x, y = torch.randn(256, 256, dtype=torch.float64), torch.randn(256, 256, dtype=torch.float64)
    maps, kernel = (
        torch.randn(1, 64, 32, 32, dtype=torch.float64),
        torch.randn(64, 64, 3, 3, dtype=torch.float64),
    )
    errors = []
    for tf32 in (False, True):
        on_gpu("seem_v1", tf32=tf32)
        product = x.float().cuda() @ y.float().cuda()
        convolved = torch.nn.functional.conv2d(maps.float().cuda(), kernel.float().cuda())
        errors.append(float((product.cpu() - x @ y).abs().max()))
        errors.append(float((convolved.cpu() - torch.nn.functional.conv2d(maps, kernel)).abs().max()))
    on_gpu("seem_v1")
    product, convolution, product_tf32, convolution_tf32 = errors
    assert product < 1e-3 < product_tf32
    assert convolution < 1e-3 < convolution_tf32

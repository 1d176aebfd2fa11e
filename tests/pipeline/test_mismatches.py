"""Scenes, images and memory of another precision or device than the model's: converted, or one sentence."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seemkit import Model, Scene
from seemkit.errors import ImageError, PromptError
from seemkit.prompts import Point, Reference

CLICK = Point(x=20, y=20)


@pytest.fixture
def model(tiny_model: Callable[[str], Model]) -> Model:
    return tiny_model("seem_v1")


def cast(scene: Scene, to: Any) -> Scene:
    a, b, c = (x.to(to) for x in scene.levels)
    return replace(scene, levels=(a, b, c), fine=scene.fine.to(to))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_scene_kept_in_another_precision_is_read_in_the_models(
    model: Model, photo: NDArray[np.uint8], tmp_path: Path, dtype: torch.dtype
) -> None:
    scene = model.encode(photo)
    kept = Scene.load(cast(scene, dtype).save(tmp_path / "kept.scene"))
    assert kept.fine.dtype == dtype
    expected, found = model.segment(scene, CLICK, select="all"), model.segment(kept, CLICK, select="all")
    assert found.logits.dtype == np.float32
    assert np.abs(found.scores - expected.scores).max() < 0.05
    assert len(model.everything(kept, vocabulary=["a"], task="semantic")) == 1
    referred = model.segment(scene, Reference(image=kept, prompts=[CLICK]))
    assert referred.logits.dtype == np.float32
    session = model.session(kept)
    session.add(CLICK)
    assert len(session.result()) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("scale", "way_out"),
    [(1, "image.clip(0, 255).round().astype(np.uint8)"), (255, "(image * 255).round().astype(np.uint8)")],
)
def test_a_float_image_is_refused_with_the_way_out(
    model: Model, photo: NDArray[np.uint8], dtype: type, scale: int, way_out: str
) -> None:
    with pytest.raises(ImageError, match="holds float") as caught:
        model.segment((photo / scale).astype(dtype), CLICK)  # type: ignore[arg-type]
    assert caught.value.suggestion == way_out


def test_a_tensor_is_refused_with_the_way_out(model: Model, photo: NDArray[np.uint8]) -> None:
    with pytest.raises(ImageError, match=r"not Tensor; give tensor\.cpu\(\)\.numpy\(\)"):
        model.encode(torch.tensor(photo))  # type: ignore[arg-type]


def test_logits_of_a_result_serve_as_memory_as_array_and_in_any_precision(
    model: Model, photo: NDArray[np.uint8]
) -> None:
    scene = model.encode(photo)
    logits = model.segment(scene, CLICK).logits[0]
    expected = model.segment(scene, CLICK, memory={"1": torch.tensor(logits)})
    for memory in (logits, logits.astype(np.float64), torch.tensor(logits).double()):
        found = model.segment(scene, CLICK, memory={"1": memory})  # type: ignore[dict-item]
        np.testing.assert_array_equal(found.logits, expected.logits)
    assert not np.array_equal(expected.logits, model.segment(scene, CLICK).logits)


def holding(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda logits: logits.index_fill(0, torch.tensor([0]), value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (holding(float("nan")), "memory logits hold NaN or infinity, expected finite numbers"),
        (holding(float("inf")), "memory logits hold NaN or infinity, expected finite numbers"),
        (
            torch.Tensor.long,
            r"memory logits hold int64, expected floats; of an image's mask give \(H, W\) bool",
        ),
        (lambda logits: logits.to(torch.complex64), "memory logits hold complex64, expected floats"),
        (lambda logits: logits.to("meta"), "memory logits are on the device meta, so they hold no values"),
        (lambda logits: logits[1:], r"memory logits have shape \(\d+, \d+\), expected \(\d+, \d+\)"),
    ],
    ids=["nan", "inf", "int64", "complex64", "meta", "shape"],
)
def test_memory_that_is_no_logits_is_one_sentence(
    model: Model,
    photo: NDArray[np.uint8],
    change: Callable[[torch.Tensor], torch.Tensor],
    sentence: str,
) -> None:
    scene = model.encode(photo)
    logits = torch.tensor(model.segment(scene, CLICK).logits[0])
    with pytest.raises(PromptError, match=sentence) as caught:
        model.segment(scene, CLICK, memory={"1": change(logits)})
    assert (caught.value.path, str(caught.value).count("\n")) == ("memory", 0)


@pytest.mark.gpu
def test_scenes_travel_between_devices(new_model: Callable[..., Model], photo: NDArray[np.uint8]) -> None:
    here, there = new_model(), new_model()
    there.network.to("cuda")
    expected = here.segment(photo, CLICK, select="all").scores
    for model, scene in ((there, here.encode(photo)), (here, there.encode(photo))):
        found = model.segment(scene, CLICK, select="all")
        np.testing.assert_allclose(found.scores, expected, atol=1e-2)
        other = model.segment(model.encode(photo), Reference(image=scene, prompts=[CLICK]))
        assert len(other) == 1

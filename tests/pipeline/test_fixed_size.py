"""A backbone of one input size takes every image: shrunk to fit, padded, answered at the original size."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import seemkit
from seemkit import Model
from seemkit.errors import ImageError
from seemkit.prompts import Box, Point

SAM: dict[str, Any] = {
    "backbone": {
        "use": "sam_vit", "width": 24, "depth": 2, "heads": 2, "global_blocks": [1], "window": 3,
        "image_size": 64, "channels": [4, 8, 12, 16],
    },
    "pixel_decoder": {"use": "deform", "dim": 32, "encoder_layers": 1, "heads": 2, "ffn": 64, "groups": 8},
}  # fmt: skip


@pytest.fixture(scope="module")
def model(new_model: Callable[..., Model]) -> Model:
    return new_model(**SAM, preprocess={"short": 60, "long": 64})


@pytest.mark.parametrize(
    ("image", "grid"),
    [
        ((1000, 1000), (60, 60)),  # as published: the short side decides for what is nearly square
        ((1000, 1500), (43, 64)),
        ((1500, 1000), (64, 43)),
        ((64, 64), (60, 60)),
        ((1000, 3), (64, 1)),
        ((3, 1000), (1, 64)),
        ((1, 1), (60, 60)),
        ((5000, 1), (64, 1)),
    ],
)
def test_an_image_of_any_size_is_resized_padded_and_answered(
    model: Model, new_photo: Callable[..., NDArray[np.uint8]], image: tuple[int, int], grid: tuple[int, int]
) -> None:
    scene = model.encode(new_photo(*image, seed=1))
    assert scene.grid.size == grid
    assert scene.padded == (64, 64)
    assert tuple(scene.levels[0].shape) == (32, 2, 2)
    result = model.segment(
        scene, [Point(x=0.5, y=0.5), Box(x1=0, y1=0, x2=image[1], y2=image[0], object="2")]
    )
    assert result.masks.shape == (2, *image)
    assert np.isfinite(result.logits).all()
    assert model.everything(scene, vocabulary=["a"], task="semantic").size == image


def test_sizes_that_do_not_fit_inside_are_shrunk(new_model: Callable[..., Model]) -> None:
    model = new_model(**SAM, preprocess={"short": 800, "long": 1333})
    assert model.encode(np.zeros((90, 120, 3), np.uint8)).grid.size == (48, 64)


def test_images_of_different_shapes_are_one_batch(
    model: Model, new_photo: Callable[..., NDArray[np.uint8]]
) -> None:
    sizes = [(72, 96), (96, 72), (40, 100)]
    photos = [new_photo(*size, seed) for seed, size in enumerate(sizes)]
    for scene, photo in zip(model.encode_many(photos), photos, strict=True):
        alone = model.encode(photo)
        assert scene.grid == alone.grid
        for a, b in zip(scene.levels, alone.levels, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)


def test_a_narrow_image_that_would_be_enlarged_without_end_is_refused(
    assembly: Callable[..., dict[str, Any]],
) -> None:
    model = seemkit.load(assembly(preprocess={"short": 512, "long": None}), weights=None, device="cpu")
    with pytest.raises(ImageError, match=r"is 3 x 1000 and would be resized to 512 x 170667, over the limit"):
        model.encode(np.zeros((1000, 3, 3), np.uint8))

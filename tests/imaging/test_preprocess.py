"""From the image to the network's input; expected sizes are detectron2's, by its published formula."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seemkit.errors import SeemkitError
from seemkit.imaging.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess

sides = st.integers(1, 3000)


def detectron_size(height: int, width: int, short: int, long: int) -> tuple[int, int]:
    """ResizeShortestEdge.get_output_shape of detectron2 0.6, written down again."""
    size = short * 1.0
    scale = size / min(height, width)
    newh, neww = (size, scale * width) if height < width else (scale * height, size)
    if max(newh, neww) > long:
        scale = long * 1.0 / max(newh, neww)
        newh, neww = newh * scale, neww * scale
    return int(newh + 0.5), int(neww + 0.5)


@given(sides, sides, st.sampled_from([(800, 1333), (512, 1024), (256, 512), (1000, 1024)]))
def test_sizes_are_those_of_detectron(height: int, width: int, limits: tuple[int, int]) -> None:
    grid = Preprocess(short=limits[0], long=limits[1]).grid_for((height, width))
    expected = detectron_size(height, width, *limits)
    assert grid.size == (max(expected[0], 1), max(expected[1], 1))
    assert grid.original == (height, width)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ((480, 640), (800, 1067)),  # COCO's usual size: 640 * 800 / 480 = 1066.67
        ((427, 640), (800, 1199)),  # 1199.06
        ((500, 1000), (667, 1333)),  # held back by the long side: 666.5 is rounded up
        ((1, 5000), (1, 1333)),  # never below a pixel
    ],
)
def test_known_sizes(image: tuple[int, int], expected: tuple[int, int]) -> None:
    assert Preprocess().grid_for(image).size == expected


def test_none_keeps_the_size_and_long_alone_only_shrinks() -> None:
    keep = Preprocess(short=None, long=None)
    assert keep.grid_for((123, 457)).size == (123, 457)
    image = np.random.default_rng(0).integers(0, 255, (12, 17, 3), dtype=np.uint8)
    np.testing.assert_array_equal(keep.resize(image), image)
    shrink = Preprocess(short=None, long=100)
    assert shrink.grid_for((50, 80)).size == (50, 80)
    assert shrink.grid_for((50, 200)).size == (25, 100)


@given(sides, sides, st.sampled_from([(None, None), (1000, 1024), (2000, None)]))
def test_a_fixed_input_is_never_exceeded(
    height: int, width: int, limits: tuple[int | None, int | None]
) -> None:
    process = Preprocess(short=limits[0], long=limits[1], fixed=(1024, 768))
    grid = process.grid_for((height, width))
    assert 1 <= grid.height <= 1024
    assert 1 <= grid.width <= 768
    if limits == (None, None):
        assert grid.height == 1024 or grid.width == 768
    assert process.padded(grid.size) == (1024, 768)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 50), st.integers(1, 50), st.sampled_from([1, 4, 32]))
def test_normalised_first_then_padded_with_zeros(height: int, width: int, divisor: int) -> None:
    image = np.random.default_rng(height * 100 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    process = Preprocess(short=None, long=None, divisor=divisor)
    tensor = process.normalise(image)
    rows, columns = tensor.shape[1:]
    assert rows % divisor == 0
    assert columns % divisor == 0
    assert rows - height < divisor
    assert columns - width < divisor
    expected = (image.astype(np.float32) - np.float32(IMAGENET_MEAN)) / np.float32(IMAGENET_STD)
    np.testing.assert_array_equal(tensor[:, :height, :width].numpy(), expected.transpose(2, 0, 1))
    assert not tensor[:, height:].any()
    assert not tensor[:, :, width:].any()
    assert str(tensor.dtype) == "torch.float32"


def test_normalise_leaves_a_read_only_image_alone_and_refuses_one_that_is_too_large() -> None:
    image = np.full((4, 4, 3), 9, np.uint8)
    image.flags.writeable = False
    tensor = Preprocess(divisor=4).normalise(image)
    tensor.zero_()
    assert (image == 9).all()
    with pytest.raises(ValueError, match=r"larger than the input of \(2, 2\)"):
        Preprocess(fixed=(2, 2)).normalise(image)


@pytest.mark.parametrize("resample", ["bicubic", "bilinear"])
def test_resize_is_pil_s_with_the_filter_told(resample: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (30, 45, 3), dtype=np.uint8)
    process = Preprocess(short=20, long=None, resample=resample)  # type: ignore[arg-type]
    filters = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
    expected = np.asarray(Image.fromarray(image).resize((30, 20), filters[resample]))
    np.testing.assert_array_equal(process.resize(image), expected)


def test_the_fingerprint_tells_every_field_apart_and_nothing_else() -> None:
    base = Preprocess()
    others = [
        replace(base, short=512),
        replace(base, long=None),
        replace(base, divisor=64),
        replace(base, mean=(127.0, 127.0, 127.0)),
        replace(base, std=(128.0, 128.0, 128.0)),
        replace(base, fixed=(1024, 1024)),
        replace(base, resample="bilinear"),
    ]
    prints = {process.fingerprint() for process in [base, *others]}
    assert len(prints) == 8
    assert Preprocess(mean=(123.675, 116.28, 103.53)).fingerprint() == base.fingerprint()
    assert replace(base, mean=(1, 2, 3)).fingerprint() == replace(base, mean=(1.0, 2.0, 3.0)).fingerprint()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("short", 0, "short is 0: expected at least 1 pixel"),
        ("long", -1, "long is -1: expected at least 1 pixel"),
        ("divisor", 0, "divisor is 0: expected at least 1 pixel"),
        ("std", (1, 0, 1), "std is (1, 0, 1): expected three numbers above 0"),
        ("fixed", (0, 5), "fixed is (0, 5): expected (H, W) of at least 1 pixel"),
        ("resample", "area", "resample is 'area': expected 'bicubic' or 'bilinear'"),
    ],
)
def test_wrong_values_are_refused_in_one_sentence(field: str, value: object, said: str) -> None:
    with pytest.raises(SeemkitError) as caught:
        Preprocess(**{field: value})  # type: ignore[arg-type]
    assert str(caught.value) == said
    assert caught.value.path == f"preprocess.{field}"


def test_neither_loading_nor_sizes_nor_results_import_torch() -> None:
    code = (
        "import sys, numpy as np, seemkit.result, seemkit.imaging.overlay, seemkit.imaging.load as load\n"
        "from seemkit.imaging.preprocess import Preprocess\n"
        "Preprocess().resize(load.load_image(np.zeros((4, 6, 3), np.uint8)))\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

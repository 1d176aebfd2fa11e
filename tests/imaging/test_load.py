"""Loading images; expected pixels come from numpy alone, or from PIL reading a file of the same content."""

import io
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seemkit.imaging.load import load_image
from tests.imaging.picture_files import Array, encoded, make_picture, png_header, refused


@pytest.fixture
def photo() -> Array:
    return make_picture()


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_lossless_formats_give_back_the_pixels_from_path_and_bytes(
    photo: Array, tmp_path: Path, form: str, options: dict[str, object]
) -> None:
    data = encoded(photo, form, **options)
    path = tmp_path / "photo.of-any-name"
    path.write_bytes(data)
    for source in (data, path, str(path)):
        loaded = load_image(source)
        assert loaded.dtype == np.uint8
        np.testing.assert_array_equal(loaded, photo)


def test_jpeg_gives_what_pil_decodes(photo: Array) -> None:
    data = encoded(photo, "JPEG", quality=90)
    np.testing.assert_array_equal(load_image(data), np.asarray(Image.open(io.BytesIO(data))))


def test_the_first_frame_of_an_animation_counts(photo: Array) -> None:
    first = Image.fromarray(photo).quantize(16)
    second = Image.new("P", first.size, 3)
    data = encoded(first, "GIF", save_all=True, append_images=[second], duration=50)
    np.testing.assert_array_equal(load_image(data), np.asarray(first.convert("RGB")))


ORIENT: dict[int, Callable[[Array], Array]] = {
    # EXIF 2.3, tag 0x0112: how the stored rows and columns come about from the upright picture.
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_every_exif_orientation_is_turned_upright(photo: Array, form: str, orientation: int) -> None:
    stored = np.ascontiguousarray(ORIENT[orientation](photo))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
    np.testing.assert_array_equal(load_image(data), photo)
    np.testing.assert_array_equal(load_image(Image.open(io.BytesIO(data))), photo)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_orientation_is_turned_upright(photo: Array, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(np.ascontiguousarray(ORIENT[orientation](photo)), "JPEG", exif=exif, quality=95)
    loaded = load_image(data)
    assert loaded.shape == photo.shape
    assert np.abs(loaded.astype(int) - photo).mean() < 4  # JPEG of a smooth ramp


def test_grey_is_repeated_and_bilevel_is_black_and_white() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    for source in (grey, grey[..., None], encoded(grey, "PNG"), Image.fromarray(grey)):
        np.testing.assert_array_equal(load_image(source), np.repeat(grey[..., None], 3, axis=2))
    bits = grey > 100
    np.testing.assert_array_equal(load_image(encoded(Image.fromarray(bits), "PNG"))[..., 0], bits * 255)


def test_palette_colours_are_looked_up() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putdata([0, 1])
    np.testing.assert_array_equal(load_image(encoded(picture, "PNG")), [[[10, 20, 30], [200, 100, 50]]])


def test_sixteen_bits_become_eight_by_rounding() -> None:
    wide = np.array([[0, 257, 65535, 32896, 128, 129]], np.uint16)
    expected = [0, 1, 255, 128, 0, 1]  # value * 255 / 65535, rounded
    for form in ("PNG", "TIFF"):
        np.testing.assert_array_equal(load_image(encoded(wide, form))[0, :, 1], expected)


def test_what_is_transparent_shows_white() -> None:
    rgba = np.array([[[200, 0, 0, 255], [200, 0, 0, 0], [200, 0, 0, 51]]], np.uint8)
    expected = [[[200, 0, 0], [255, 255, 255], [244, 204, 204]]]  # 0.2 * colour + 0.8 * white
    for source in (rgba, encoded(rgba, "PNG"), Image.fromarray(rgba)):
        np.testing.assert_array_equal(load_image(source), expected)
    grey = Image.new("L", (2, 1), 7)
    np.testing.assert_array_equal(load_image(encoded(grey, "PNG", transparency=7)), np.full((1, 2, 3), 255))


def test_cmyk_is_converted(photo: Array) -> None:
    cmyk = Image.fromarray(photo).convert("CMYK")
    loaded = load_image(encoded(cmyk, "TIFF"))
    np.testing.assert_array_equal(loaded, np.asarray(cmyk.convert("RGB")))
    np.testing.assert_array_equal(load_image(cmyk), loaded)


def test_the_result_is_an_array_of_its_own(photo: Array) -> None:
    loaded = load_image(photo)
    loaded[:] = 0
    assert photo.any()
    strided = photo[::-1, ::2]
    assert load_image(strided).flags.c_contiguous
    np.testing.assert_array_equal(load_image(strided), strided)


def test_a_pil_image_is_not_changed(photo: Array) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.open(io.BytesIO(encoded(photo, "PNG", exif=exif)))
    load_image(picture)
    assert picture.size == (60, 40)
    assert picture.getexif()[0x0112] == 6


def test_threads_may_share_one_pil_image_that_is_not_decoded_yet(photo: Array) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    large = np.tile(photo, (8, 8, 1))
    for _ in range(5):
        shared = Image.open(io.BytesIO(encoded(large, "PNG", exif=exif, compress_level=1)))
        results: list[Array] = []
        barrier = threading.Barrier(8)

        def work(
            shared: Image.Image = shared, results: list[Array] = results, barrier: threading.Barrier = barrier
        ) -> None:
            barrier.wait()
            results.append(load_image(shared))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 8
        for result in results:
            np.testing.assert_array_equal(result, np.rot90(large, -1))


def test_nothing_of_pil_is_changed_for_others(photo: Array) -> None:
    before = (Image.MAX_IMAGE_PIXELS, list(Image.ID), warnings.filters[:])
    load_image(encoded(photo, "WEBP"))
    refused(png_header(20_000, 20_000))
    assert (Image.MAX_IMAGE_PIXELS, list(Image.ID), warnings.filters[:]) == before


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_real_photos_load_as_skimage_reads_them(name: str) -> None:
    data = pytest.importorskip("skimage.data")
    suffix = ".jpg" if name == "rocket" else ".png"
    loaded = load_image(Path(data.__file__).parent / f"{name}{suffix}")
    np.testing.assert_array_equal(loaded, getattr(data, name)())

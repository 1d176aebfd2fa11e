"""Loading images; expected pixels come from numpy alone, or from PIL reading a file of the same content."""

import io
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from seemkit.errors import ImageError
from seemkit.imaging import load
from seemkit.imaging.load import MAX_PIXELS, load_image

Array = np.ndarray


@pytest.fixture
def photo() -> Array:
    """A smooth RGB picture of 40 x 60 in which no flip or turn gives the same again."""
    y, x = np.mgrid[:40, :60]
    return np.stack([x * 4, y * 6, (x + y) * 2], axis=2).astype(np.uint8)


def encoded(image: Array | Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(buffer, form, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def refused(source: object) -> ImageError:
    with pytest.raises(ImageError) as caught:
        load_image(source)  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert not sentence.endswith(".")
    assert caught.value.path == "image"
    return caught.value


def png_header(width: int, height: int) -> bytes:
    """A PNG of 1-bit grey that declares a size and holds 10 bytes of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(10)))
        + chunk(b"IEND", b"")
    )


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


# What is refused, and what the sentence says


def test_a_missing_file_names_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    error = refused(tmp_path / "phto.jpg")
    assert error.suggestion == str(tmp_path / "photo.jpg")
    assert "did you mean" in str(error)
    assert "no such file" in str(refused(tmp_path / "quite-another-name.png"))
    assert "there is no directory" in str(refused(tmp_path / "nowhere" / "photo.jpg"))
    assert "there is no directory" in str(refused(tmp_path / "photo.jpg" / "inner.jpg"))


def test_a_directory_is_refused_with_an_image_in_it(tmp_path: Path) -> None:
    assert str(refused(tmp_path)) == f"{str(tmp_path)!r} is a directory, not an image"
    (tmp_path / "b.png").write_bytes(b"x")
    assert str(tmp_path / "b.png") in str(refused(tmp_path))


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("hello, this is text")
    assert str(refused(text)) == (
        f"{str(text)!r} is not an image: expected a JPEG, PNG, WEBP, BMP, TIFF or GIF file"
    )
    assert "0 bytes" in str(refused(b""))
    assert "is not the path of an image" in str(refused(""))
    assert "is not the path of an image" in str(refused("a\0b.png"))
    assert "download it" in str(refused("https://example.org/cat.jpg"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "not a regular file" in str(refused(tmp_path / "pipe.png"))


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (b"P6 2 2 255 ", "Netpbm"),
        (b"\0\0\0\x20ftypavif....", "AVIF"),
        (b"\0\0\0\x18ftypheic....", "HEIC"),
        (b"\0\0\0\x18ftypisom....", "MP4 video"),
        (b"8BPS....", "Photoshop"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "SVG"),
        (b"\n<!DOCTYPE html><html>", "HTML"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"RIFF....AVI LIST", "AVI video"),
        (b"PK\x03\x04....", "ZIP"),
        (b"\xff\x0a....", "JPEG XL"),
        (b"\x93NUMPY\x01\0", "NumPy"),
    ],
)
def test_other_formats_are_refused_by_name(head: bytes, name: str) -> None:
    assert f" is a {name} file: convert it to JPEG, PNG" in str(refused(head))


def test_a_format_that_pil_reads_but_is_not_listed_is_refused(photo: Array) -> None:
    for form, name in (("PPM", "Netpbm"), ("ICO", "ICO"), ("PDF", "PDF"), ("EPS", "PostScript")):
        assert f"is a {name} file" in str(refused(encoded(photo, form)))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_truncated_file_is_refused(photo: Array, form: str) -> None:
    noisy = np.random.default_rng(0).integers(0, 255, photo.shape, dtype=np.uint8)
    data = encoded(noisy, form)
    error = refused(data[: len(data) * 2 // 3])
    assert f"is a damaged or truncated {form} file: " in str(error)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_bytes_give_an_image_or_one_sentence(form: str, data: st.DataObject) -> None:
    whole = bytearray(encoded(np.arange(600, dtype=np.uint8).reshape(10, 20, 3), form))
    places = data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=6))
    for place in places:
        whole[place] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
        try:
            assert load_image(cut).ndim == 3
        except ImageError:
            refused(cut)


def test_a_bomb_is_refused_from_its_header_before_anything_is_decoded() -> None:
    side = 20_000
    boxes = {
        "PNG": png_header(side, side),
        "GIF": b"GIF89a" + struct.pack("<HH", side, side) + bytes(20),
        "BMP": b"BM" + bytes(12) + struct.pack("<Iii", 40, side, -side) + bytes(30),
        "WEBP": b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + (side - 1).to_bytes(3, "little") * 2 + bytes(8),
    }
    for data in boxes.values():
        error = refused(data)
        assert "is 20000 x 20000, 400 megapixels, over the limit of 100: make it smaller first" in str(error)


def test_the_limit_holds_for_jpeg_and_tiff_whose_size_is_found_by_opening(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load, "MAX_PIXELS", 1000)
    large = np.zeros((40, 60, 3), np.uint8)
    files = [encoded(large, form) for form in ("JPEG", "TIFF")]
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded before the check"))
    for data in files:
        assert "60 x 40" in str(refused(data))
    assert "60 x 40" in str(refused(large))
    assert "60 x 40" in str(refused(Image.fromarray(large)))


def test_an_image_at_the_limit_is_read_without_a_warning() -> None:
    side = int(MAX_PIXELS**0.5)
    data = encoded(Image.new("1", (side, 9000)), "PNG")  # 90 megapixels: above what PIL warns of by itself
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monochrome = load_image(data)
    assert monochrome.shape == (9000, side, 3)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0)])
def test_zero_size_is_refused(width: int, height: int) -> None:
    said = f"zero size: {width} x {height}"
    assert said in str(refused(png_header(width, height)))
    assert said in str(refused(b"GIF89a" + struct.pack("<HH", width, height) + bytes(20)))
    assert said in str(refused(b"BM" + bytes(12) + struct.pack("<Iii", 40, width, height) + bytes(30)))
    assert said in str(refused(b"BM" + bytes(12) + struct.pack("<IHH", 12, width, height) + bytes(30)))
    assert said in str(refused(Image.new("RGB", (width, height))))
    assert "holds no pixel" in str(refused(np.zeros((height, width, 3), np.uint8)))


@pytest.mark.parametrize(
    ("array", "fix"),
    [
        (np.full((2, 2, 3), 0.5), "(image * 255).round().astype(np.uint8)"),
        (np.full((2, 2, 3), 200.0, np.float32), "image.clip(0, 255).round().astype(np.uint8)"),
        (np.full((2, 2, 3), -2.0), "the image as it was before it was normalised"),
        (np.full((2, 2), np.nan), "finite numbers, scaled to 0 to 255 and cast by .astype(np.uint8)"),
        (np.full((2, 2, 3), 7), "image.astype(np.uint8)"),
        (np.full((2, 2, 3), 9999, np.uint16), "(image // 257).astype(np.uint8)"),
        (np.full((2, 2, 3), -9), "image scaled to uint8"),
        (np.ones((2, 2), bool), "image.astype(np.uint8) * 255"),
        (np.full((2, 2), "a"), "an array of numbers"),
    ],
)
def test_arrays_of_other_types_are_refused_with_the_fix(array: Array, fix: str) -> None:
    error = refused(array)
    assert f"holds {array.dtype}, not uint8 in 0..255: give {fix}" in str(error)
    assert error.suggestion == fix


def test_the_suggested_fix_is_accepted() -> None:
    image = np.linspace(0, 1, 12).reshape(2, 2, 3)
    fixed = eval(refused(image).suggestion or "", {"np": np, "image": image})  # noqa: S307 - our own sentence
    assert load_image(fixed).max() == 255


def test_arrays_of_other_shapes_are_refused_with_the_fix() -> None:
    assert refused(np.zeros((3, 8, 9), np.uint8)).suggestion == "image.transpose(1, 2, 0)"
    assert "is a batch" in str(refused(np.zeros((1, 8, 9, 3), np.uint8)))
    assert "(8, 9, 5)" in str(refused(np.zeros((8, 9, 5), np.uint8)))
    assert "expected (H, W, 3)" in str(refused(np.zeros(8, np.uint8)))


def test_other_objects_are_refused_by_type() -> None:
    assert "not NoneType" in str(refused(None))
    assert "one image at a time" in str(refused([np.zeros((2, 2, 3), np.uint8)]))
    assert "what it reads as bytes" in str(refused(io.BytesIO(b"")))


def test_depths_whose_range_is_unknown_are_refused() -> None:
    for array, kind in (
        (np.zeros((2, 2), np.float32), "floating-point"),
        (np.zeros((2, 2), np.int32), "integers"),
    ):
        assert kind in str(refused(Image.fromarray(array)))
        assert kind in str(refused(encoded(array, "TIFF")))
    assert "colours of mode La: convert it to RGB first" in str(refused(Image.new("La", (2, 2))))


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

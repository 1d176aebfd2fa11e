"""What is refused when an image is loaded, and what the sentence says."""

import io
import os
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from seemkit.errors import ImageError
from seemkit.imaging import load
from seemkit.imaging.load import MAX_PIXELS, load_image
from tests.imaging.picture_files import Array, encoded, make_picture, png_header, refused


@pytest.fixture
def photo() -> Array:
    return make_picture()


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

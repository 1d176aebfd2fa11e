"""Mask images are read as numbers: what Pillow wrote comes back, and what blurs or does not fit is refused."""

import io

import numpy as np
import pytest
from PIL import Image

from seemkit.errors import ImageError
from seemkit.imaging.labels import read_labels

NUMBERS = np.array([[0, 1, 2], [3, 200, 255]], np.uint8)


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def palette_image() -> Image.Image:
    image = Image.frombytes("P", (3, 2), NUMBERS.tobytes())
    image.putpalette(bytes(range(256)) * 3)
    return image


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.fromarray(NUMBERS)),
        encoded(palette_image()),
        encoded(Image.fromarray(np.repeat(NUMBERS[..., None], 3, 2))),
        encoded(Image.fromarray(NUMBERS), "TIFF"),
        encoded(Image.fromarray(NUMBERS), "BMP"),
        encoded(Image.fromarray(NUMBERS).convert("RGB"), "WEBP", lossless=True),
    ],
    ids=["grey", "palette", "grey in colours", "tiff", "bmp", "webp"],
)
def test_numbers_are_those_of_the_pixels(data):
    found = read_labels(data)
    assert found.dtype == np.int32
    assert (found == NUMBERS).all()


def test_sixteen_bits_and_one_bit_are_read(tmp_path):
    wide = np.array([[0, 70, 65535]], np.uint16)
    Image.fromarray(wide).save(tmp_path / "a.png")
    assert read_labels(tmp_path / "a.png").tolist() == [[0, 70, 65535]]
    assert read_labels(encoded(Image.fromarray(np.array([[True, False]])))).tolist() == [[1, 0]]


def test_colours_are_packed_as_coco_packs_them_only_if_asked():
    ids = np.array([[7, 300, 70_000, 0x010101]])
    colours = np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1).astype(np.uint8)
    data = encoded(Image.fromarray(colours))
    assert (read_labels(data, packed=True) == ids).all()  # grey ones too: 0x010101 is not 1
    with pytest.raises(ImageError, match="is coloured, expected grey levels or a palette"):
        read_labels(data)


def test_what_is_transparent_is_nothing():
    pixels = np.array([[[9, 9, 9, 255], [9, 9, 9, 0]]], np.uint8)
    assert read_labels(encoded(Image.fromarray(pixels))).tolist() == [[9, 0]]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (encoded(Image.fromarray(NUMBERS), "JPEG"), "is a JPEG file, expected a PNG file of numbers"),
        (b"nothing", "is no image, expected a PNG file"),
        (encoded(Image.fromarray(NUMBERS))[:45], "is a damaged or truncated PNG file"),
        (encoded(Image.fromarray(NUMBERS.astype(np.int32)), "TIFF"), "holds numbers of 32 bits"),
    ],
    ids=["blurred", "no image", "cut off", "too wide"],
)
def test_what_is_no_map_of_numbers_is_one_sentence(data, says):
    with pytest.raises(ImageError, match=f"'x/1.png' {says}"):
        read_labels(data, name="x/1.png")


def test_a_size_over_the_limit_is_told_from_the_header():
    data = bytearray(encoded(Image.fromarray(NUMBERS)))
    data[16:24] = (200_000).to_bytes(4, "big") * 2
    with pytest.raises(ImageError, match="is 200000 x 200000, over the limit of 100 megapixels"):
        read_labels(bytes(data))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"gone\.png' cannot be read: No such file"):
        read_labels(tmp_path / "gone.png")

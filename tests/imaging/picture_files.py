"""A picture and files of it, and the sentence that a file is refused with."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from seemkit.errors import ImageError
from seemkit.imaging.load import load_image

Array = np.ndarray


def make_picture() -> Array:
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

"""Images whose pixels are numbers and not colours: masks and maps of ids."""

import io
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seemkit.errors import ImageError
from seemkit.imaging.formats import HEAD, declared_size, opener, recognise
from seemkit.imaging.load import MAX_PIXELS

__all__ = ["read_labels"]

_LOSSLESS = ("PNG", "BMP", "TIFF", "GIF", "WEBP")
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, Image.DecompressionBombError)


def read_labels(
    source: str | PathLike[str] | bytes, *, packed: bool = False, name: str = ""
) -> NDArray[np.int32]:
    """The number at each pixel of an image, (H, W): its grey level or its place in the palette.

    What is transparent is 0.

    Args:
        source: a path, or the bytes of a PNG, BMP, TIFF, GIF or WebP file of 8 or 16 bits.
        packed: colours are numbers, R + 256 G + 65536 B, as in COCO's panoptic format; otherwise the channels
            of a colour image have to be equal.
        name: what messages call it, where bytes are given.

    Raises:
        ImageError: it is missing, damaged, too large, or of a format that blurs, such as JPEG.
    """
    if isinstance(source, bytes):
        data, name = source, repr(name) if name else f"the image given as {len(source)} bytes"
    else:
        name = repr(str(source))
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            raise _refusal(f"{name} cannot be read: {error.strerror or error}") from error
    form = recognise(data[:HEAD])
    if form not in _LOSSLESS:
        raise _refusal(
            f"{name} is {f'a {form} file' if form else 'no image'}, expected a PNG file of numbers"
        )
    size = declared_size(form, data[:HEAD])
    if size is not None:
        _check_size(size, name)
    try:
        with opener(form)(io.BytesIO(data)) as image:
            _check_size((image.height, image.width), name)
            return _numbers(image, name, packed)
    except ImageError:
        raise
    except _DAMAGED as error:
        raise _refusal(f"{name} is a damaged or truncated {form} file") from error


def _numbers(image: Image.Image, name: str, packed: bool) -> NDArray[np.int32]:
    if image.mode in ("1", "L", "P") or image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.int32)
    if image.mode in ("I", "F"):
        raise _refusal(f"{name} holds numbers of 32 bits, expected 8 or 16, or colours")
    pixels = np.asarray(image.convert("RGBA")).astype(np.int32)  # H x W x 4
    red, green, blue, alpha = (pixels[..., k] for k in range(4))
    if packed:
        numbers = red + 256 * green + 65536 * blue
    elif (red == green).all() and (green == blue).all():
        numbers = red
    else:
        raise _refusal(f"{name} is coloured, expected grey levels or a palette, a number at each pixel")
    return np.where(alpha > 0, numbers, 0).astype(np.int32)


def _check_size(size: tuple[int, int], name: str) -> None:
    height, width = size
    if height * width > MAX_PIXELS or height < 1 or width < 1:
        raise _refusal(f"{name} is {width} x {height}, over the limit of {MAX_PIXELS // 10**6} megapixels")


def _refusal(sentence: str) -> ImageError:
    return ImageError(sentence, path="image")

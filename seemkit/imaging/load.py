"""Loading an image, wherever it comes from, as (H, W, 3) uint8 RGB in the orientation that viewers show."""

import io
import os
import stat
import struct
import threading
import zlib
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from seemkit.errors import ImageError
from seemkit.imaging.formats import HEAD, READ, declared_size, opener, recognise
from seemkit_registry.suggestion import nearest

__all__ = ["MAX_PIXELS", "ImageSource", "load_image"]

ImageSource = str | PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
"""What an image may come as: a path, the bytes of a file, a PIL image, or a uint8 array."""

MAX_PIXELS = 100_000_000
"""The largest image that is read, in pixels; told from the header, before anything is decoded."""

_BACKGROUND = (255, 255, 255)
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, LookupError, TypeError)
"""What decoders raise on damaged files."""
_BOMB = Image.DecompressionBombError

_loading = threading.Lock()  # a PIL image that its owner has not decoded yet may be handed to several threads


def load_image(source: ImageSource) -> NDArray[np.uint8]:
    """Load an image as (H, W, 3) uint8 RGB.

    Files and PIL images are turned as their EXIF orientation says; of several frames the first counts (of a
    PIL image the current one). Palettes, grey, CMYK and 16-bit grey are converted; what is transparent is
    laid over white.

    Args:
        source: a path or the bytes of a JPEG, PNG, WebP, BMP, TIFF or GIF file, a PIL image, or a uint8 array
            of shape (H, W, 3) RGB, (H, W, 4) RGBA, (H, W) or (H, W, 1) grey.

    Returns:
        An array of its own, (H, W, 3) uint8.

    Raises:
        ImageError: the image is missing, damaged, empty, over `MAX_PIXELS` or of a kind that is not read.
    """
    if isinstance(source, Image.Image):
        return _from_pil(source, "the PIL image", shared=True)
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        return _from_file(io.BytesIO(data), f"the image given as {len(data)} bytes")
    if isinstance(source, str | PathLike):
        return _from_path(os.fspath(source))
    raise _refusal(
        f"an image is a path, the bytes of a file, a PIL image or a uint8 array, not {type(source).__name__}"
        f"{_array_hint(source)}"
    )


def _from_path(name: str | bytes) -> NDArray[np.uint8]:
    text = os.fsdecode(name)
    if text.startswith(("http://", "https://", "ftp://")):
        raise _refusal(f"{text!r} is an address, and none is fetched: download it and give the path")
    if not text or "\0" in text:
        raise _refusal(f"{text!r} is not the path of an image")
    path = Path(text)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise _refusal(f"{text!r} is a directory, not an image{_inside(path)}")
        if not stat.S_ISREG(mode):
            raise _refusal(f"{text!r} is not a regular file: give the path of an image file")
        with path.open("rb") as file:
            return _from_file(file, repr(text))
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(path) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _refusal(f"{text!r} cannot be read: {reason}") from error


def _from_file(file: IO[bytes], name: str) -> NDArray[np.uint8]:
    head = file.read(HEAD)
    if not head:
        raise _refusal(f"{name} is empty (0 bytes), so it is not an image")
    form = recognise(head)
    if form is None:
        raise _refusal(f"{name} is not an image: expected a {_list(READ)} file")
    if form not in READ:
        raise _refusal(f"{name} is a {form} file: convert it to {_list(READ)}", suggestion="PNG")
    size = declared_size(form, head)
    if size is not None:
        _check_size(size, name)
    file.seek(0)
    try:
        with opener(form)(file) as image:
            return _from_pil(image, name)
    except ImageError:
        raise
    except (*_DAMAGED, _BOMB) as error:
        raise _refusal(f"{name} is a damaged or truncated {form} file: {_reason(error)}") from error


def _from_pil(image: Image.Image, name: str, *, shared: bool = False) -> NDArray[np.uint8]:
    _check_size((image.height, image.width), name)
    if not shared:
        return _to_rgb(ImageOps.exif_transpose(image), name)
    try:
        with _loading:
            upright = ImageOps.exif_transpose(image)
    except (*_DAMAGED, _BOMB) as error:
        raise _refusal(f"{name} cannot be decoded: {_reason(error)}") from error
    return _to_rgb(upright, name)


def _to_rgb(image: Image.Image, name: str) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16"):
        wide = np.asarray(image, np.uint32)
        return np.repeat(((wide + 128) // 257).astype(np.uint8)[..., None], 3, axis=2)
    if image.mode in ("I", "F"):
        kind = "32-bit integers" if image.mode == "I" else "floating-point numbers"
        raise _refusal(
            f"{name} holds {kind}, whose black and white are unknown: scale it to 8 bits (0 to 255) first"
        )
    try:
        if image.has_transparency_data:
            layer = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", layer.size, (*_BACKGROUND, 255)), layer)
        return np.array(image.convert("RGB"), np.uint8)
    except ValueError as error:
        raise _refusal(f"{name} has colours of mode {image.mode}: convert it to RGB first") from error


def _from_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    expected = "expected (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey"
    if array.size == 0:
        raise _refusal(f"the image array of shape {array.shape} holds no pixel: {expected}")
    if array.ndim == 4:
        raise _refusal(f"the image array of shape {array.shape} is a batch: {expected}, one image at a time")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        turned = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        hint = "; its channels come first: give image.transpose(1, 2, 0)" if turned else ""
        raise _refusal(
            f"the image array has shape {array.shape}: {expected}{hint}",
            suggestion="image.transpose(1, 2, 0)" if turned else None,
        )
    if array.dtype != np.uint8:
        fix = _dtype_fix(array)
        raise _refusal(
            f"the image array of shape {array.shape} holds {array.dtype}, not uint8 in 0..255: give {fix}",
            suggestion=fix,
        )
    _check_size(array.shape[:2], "the image array")
    if array.ndim == 3 and array.shape[2] == 3:
        return np.array(array, np.uint8, order="C")
    grey = array if array.ndim == 2 else array[..., 0]
    if array.ndim == 3 and array.shape[2] == 4:
        return _to_rgb(Image.fromarray(np.ascontiguousarray(array)), "the image array")
    return np.repeat(grey[..., None], 3, axis=2)


def _dtype_fix(array: NDArray[Any]) -> str:
    if array.dtype.kind == "b":
        return "image.astype(np.uint8) * 255"
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            return "finite numbers, scaled to 0 to 255 and cast by .astype(np.uint8)"
        low, high = float(array.min()), float(array.max())
        if low >= 0 and high <= 1:
            return "(image * 255).round().astype(np.uint8)"
        if low > -1:
            return "image.clip(0, 255).round().astype(np.uint8)"
        return "the image as it was before it was normalised"
    if array.dtype.kind in "iu":
        low, high = int(array.min()), int(array.max())
        if low >= 0 and high <= 255:
            return "image.astype(np.uint8)"
        return "(image // 257).astype(np.uint8)" if array.dtype == np.uint16 else "image scaled to uint8"
    return "an array of numbers"


def _array_hint(source: object) -> str:
    if hasattr(source, "cpu"):
        return "; give tensor.cpu().numpy() as (H, W, 3)"
    if isinstance(source, list | tuple):
        return "; one image at a time"
    return "; give what it reads as bytes" if hasattr(source, "read") else ""


def _check_size(size: tuple[int, int], name: str) -> None:
    height, width = size
    if height < 1 or width < 1:
        raise _refusal(f"{name} has zero size: {width} x {height} pixels")
    if height * width > MAX_PIXELS:
        raise _refusal(
            f"{name} is {width} x {height}, {height * width / 1e6:.0f} megapixels, over the limit of "
            f"{MAX_PIXELS // 1_000_000}: make it smaller first"
        )


def _missing(path: Path) -> ImageError:
    folder = path.parent
    if not folder.is_dir():
        return _refusal(f"no image {str(path)!r}: there is no directory {str(folder)!r}")
    close = nearest(path.name, _names(folder))
    if not close:
        return _refusal(f"no image {str(path)!r}: there is no such file in {str(folder)!r}")
    suggestion = str(folder / close[0])
    return _refusal(f"no image {str(path)!r}; did you mean {suggestion!r}?", suggestion=suggestion)


def _inside(folder: Path) -> str:
    images = sorted(name for name in _names(folder) if name.lower().endswith(_SUFFIXES))
    return f"; did you mean {str(folder / images[0])!r}?" if images else ""


def _names(folder: Path, limit: int = 2000) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, limit) if entry.is_file()]
    except OSError:
        return []


def _list(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _reason(error: BaseException) -> str:
    said = " ".join(str(error).split())
    return said[:200] if " " in said else "its contents contradict each other"  # a bare number or key


def _refusal(sentence: str, suggestion: str | None = None) -> ImageError:
    return ImageError(sentence, path="image", suggestion=suggestion)

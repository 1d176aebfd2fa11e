"""Reading a mask from an image file, as a command-line flag names it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seemkit.errors import PromptError
from seemkit_registry.suggestion import nearest

__all__ = ["MAX_PIXELS", "read_mask_file"]

MAX_PIXELS = 100_000_000
"""The largest mask that is read, told from the header."""

_FORMATS = ("PNG", "BMP", "TIFF", "GIF", "WEBP")


def read_mask_file(path: str, *, flag: str) -> NDArray[np.bool_]:
    """The (H, W) bool mask of an image file: True where it is not black, index 0 or transparent.

    Raises:
        PromptError: the file is missing, damaged, too large or of a format that blurs masks, such as JPEG.
    """
    from PIL import Image, UnidentifiedImageError

    file = Path(path)
    try:
        with Image.open(file, formats=(*_FORMATS, "JPEG")) as image:
            if image.format == "JPEG":
                raise _refuse(flag, path, "is a JPEG, which blurs the border of a mask: expected a PNG file")
            if image.width * image.height > MAX_PIXELS:
                raise _refuse(
                    flag, path, f"is {image.width} x {image.height}, over {MAX_PIXELS // 10**6} megapixels"
                )
            if image.mode.startswith(("I", "F", "P", "1", "L")) and image.mode not in ("LA", "PA"):
                return np.asarray(np.asarray(image) != 0, np.bool_)
            pixels = np.asarray(image.convert("RGBA"))  # H x W x 4
            return np.asarray(pixels[..., :3].any(axis=2) & (pixels[..., 3] > 0))
    except (FileNotFoundError, NotADirectoryError):
        near = (
            nearest(file.name, (other.name for other in file.parent.iterdir()))
            if file.parent.is_dir()
            else []
        )
        hint = f"; did you mean {str(file.with_name(near[0]))!r}?" if near else ""
        raise PromptError(
            f"--{flag} names the mask file {path!r}, which does not exist{hint}",
            path=flag,
            suggestion=str(file.with_name(near[0])) if near else None,
        ) from None
    except UnidentifiedImageError:
        raise _refuse(flag, path, f"is not an image: expected a {', '.join(_FORMATS)} file") from None
    except Image.DecompressionBombError:
        raise _refuse(flag, path, f"is over {MAX_PIXELS // 10**6} megapixels") from None
    except PromptError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _refuse(flag, path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _refuse(flag: str, path: str, why: str) -> PromptError:
    return PromptError(f"--{flag} names the mask file {path!r}, which {why}", path=flag)

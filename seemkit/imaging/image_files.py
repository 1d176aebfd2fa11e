"""The image files of a folder, told by what is in them and not only by their names."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seemkit.errors import ImageError
from seemkit.imaging.formats import HEAD, recognise

__all__ = ["ImageFiles", "find_images", "natural_order"]

SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".png",
    ".webp",
    ".bmp",
    ".tif",
    ".tiff",
    ".gif",
    ".heic",
    ".heif",
    ".avif",
    ".jp2",
    ".jxl",
)
"""What names of images end in, read or not; such a file is one even if its content is not."""
NO_IMAGES = ("PDF", "PostScript", "Photoshop", "NumPy", "HDF5", "ZIP", "gzip", "XML", "HTML", "RIFF")
"""What a file may be recognised as and is no photo."""


@dataclass(frozen=True)
class ImageFiles:
    """What a folder holds.

    Attributes:
        folder: the folder.
        images: paths below it, as texts with slashes, in natural order; they look like images.
        others: how many other files there are.
    """

    folder: Path
    images: tuple[str, ...]
    others: int


def find_images(folder: Path, *, below: bool = True, without: Path | None = None) -> ImageFiles:
    """The files that look like images, by their first bytes or their suffix; hidden ones are passed over.

    Args:
        folder: where to look; links to folders are not followed.
        below: in the folders below it too.
        without: a folder that is left out.

    Raises:
        ImageError: there is no such folder, it cannot be read, or it holds no image.
    """
    if not folder.is_dir():
        what = "is a file, expected a folder of images" if folder.exists() else "does not exist"
        raise ImageError(f"the folder {str(folder)!r} {what}", path="folder")
    left_out = without.resolve() if without is not None else None
    images: list[str] = []
    others = 0
    for path in _files(folder, below, left_out):
        if _looks_like_an_image(path):
            images.append(path.relative_to(folder).as_posix())
        else:
            others += 1
    if not images:
        raise ImageError(f"the folder {str(folder)!r} holds no image, such as photo.jpg", path="folder")
    return ImageFiles(folder, tuple(sorted(images, key=natural_order)), others)


def natural_order(name: str) -> list[tuple[int, str]]:
    """A key that sorts frame2 before frame10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _files(folder: Path, below: bool, left_out: Path | None) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise ImageError(
            f"the folder {str(error.filename)!r} cannot be read: {error.strerror}", path="folder"
        )

    for root, folders, names in os.walk(folder, onerror=refuse):
        kept = [name for name in folders if not name.startswith(".") and below]
        folders[:] = [name for name in kept if (Path(root) / name).resolve() != left_out]
        yield from (Path(root) / name for name in names if not name.startswith("."))


def _looks_like_an_image(path: Path) -> bool:
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            form = recognise(file.read(HEAD))
    except OSError:
        return False
    return form is not None and form not in NO_IMAGES and not form.endswith("video")

"""The photos in a folder, by the suffixes of the formats that are read."""

from pathlib import Path

from seemkit.errors import ImageError

__all__ = ["SUFFIXES", "photos_in"]

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")


def photos_in(folder: Path) -> list[Path]:
    """The files in a folder (not below it) that are named as photos, sorted.

    Raises:
        ImageError: there is no such folder, or no photo in it.
    """
    if not folder.is_dir():
        raise ImageError(f"there is no folder {str(folder)!r}", path=str(folder))
    found = sorted(
        file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    )
    if not found:
        raise ImageError(
            f"there is no photo in the folder {str(folder)!r}; expected files such as photo.jpg",
            path=str(folder),
        )
    return found

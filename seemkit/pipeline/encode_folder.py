"""Scenes for the images of a folder: what is there already is kept, and what cannot be read is reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from seemkit.errors import SeemkitError
from seemkit.imaging.image_files import find_images
from seemkit.imaging.load import load_image
from seemkit.pipeline.fingerprint import hash_pixels
from seemkit.pipeline.hooks import hooked_pixels
from seemkit.scene import Scene, fingerprint_of_scene

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from seemkit.pipeline.model import Model

__all__ = ["SUFFIX", "FolderReport", "Unread", "encode_folder"]

SUFFIX = ".scene"

Tell = Callable[[int, int, str], None]
"""Is told how many images were looked at, of how many, and which comes next."""


@dataclass(frozen=True)
class Unread:
    """An image that could not be read: its path in the folder, and why in a sentence."""

    file: str
    cause: str


@dataclass
class FolderReport:
    """What became of the images of a folder, by their paths in it.

    Attributes:
        folder: where the images are.
        out: where the scenes are; that of a/b.jpg is a/b.jpg.scene.
        encoded: images that were encoded now.
        kept: images whose scene was there, made of the same pixels by the same encoder.
        unread: images that could not be read or encoded.
        others: how many files of the folder are no images.
        seconds: how long it took.
    """

    folder: Path
    out: Path
    encoded: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    others: int = 0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """The report as plain data, for JSON."""
        return {
            "folder": str(self.folder),
            "out": str(self.out),
            "encoded": self.encoded,
            "kept": self.kept,
            "unread": [{"file": each.file, "cause": each.cause} for each in self.unread],
            "others": self.others,
            "seconds": round(self.seconds, 3),
        }


def encode_folder(
    model: Model, folder: Path, out: Path, *, batch: int = 1, tell: Tell | None = None
) -> FolderReport:
    """Encode every image of a folder, and of the folders below it, into a file of its own.

    A scene is written whole or not at all, so that the work can be broken off anywhere and taken up again: an
    image whose scene has the right fingerprint is not encoded again. At most `batch` images are held at a time.

    Args:
        model: whose encoder makes the scenes.
        folder: the images.
        out: the scenes go here; it is made if it is not there.
        batch: images of one size that are encoded together; more than one may move numbers by rounding.
        tell: is told of the progress.

    Raises:
        ImageError: there is no such folder, or no image in it.
        SeemkitError: a scene cannot be written.
    """
    start = time.monotonic()
    found = find_images(folder, without=out)
    report = FolderReport(folder, out, others=found.others)
    waiting: list[tuple[str, NDArray[np.uint8]]] = []
    for name, pixels in _missing(model, found.images, report, tell):
        waiting.append((name, pixels))
        if len(waiting) == batch:
            _encode(model, waiting, report)
            waiting = []
    _encode(model, waiting, report)
    report.seconds = time.monotonic() - start
    return report


def _missing(
    model: Model, images: tuple[str, ...], report: FolderReport, tell: Tell | None
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Images that have no scene yet, with their pixels; the others are entered in the report."""
    for place, name in enumerate(images):
        if tell is not None:
            tell(place, len(images), name)
        try:
            pixels = load_image(report.folder / name)
            hashed = hash_pixels(hooked_pixels(model.hooks, pixels))
        except SeemkitError as error:
            report.unread.append(Unread(name, str(error)))
            continue
        wanted = fingerprint_of_scene(model.encoder_fingerprint, hashed, model.runtime.precision)
        if Scene.stored_fingerprint(_target(report, name)) == wanted:
            report.kept.append(name)
        else:
            yield name, pixels


def _encode(model: Model, waiting: list[tuple[str, NDArray[np.uint8]]], report: FolderReport) -> None:
    """Encode and write images; where that fails for all together, one by one, to find the one at fault."""
    try:
        scenes = model.encode_many([pixels for _, pixels in waiting], batch=max(1, len(waiting)))
    except SeemkitError as error:
        if len(waiting) == 1:
            report.unread.append(Unread(waiting[0][0], str(error)))
            return
        for each in waiting:
            _encode(model, [each], report)
        return
    for (name, _), scene in zip(waiting, scenes, strict=True):
        target = _target(report, name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SeemkitError(
                f"the folder {str(target.parent)!r} cannot be made: {error.strerror or error}", path="out"
            ) from error
        scene.save(target)
        report.encoded.append(name)


def _target(report: FolderReport, name: str) -> Path:
    return report.out / f"{name}{SUFFIX}"

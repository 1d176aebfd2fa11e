"""The frames of a video: images of a folder in natural order, or a video file with the extra `video`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from seemkit.errors import SeemkitError
from seemkit.imaging.image_files import find_images
from seemkit.imaging.load import load_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FolderFrames", "Frame", "Frames", "open_frames"]


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame.

    Attributes:
        name: for files that are made of it.
        pixels: (H, W, 3) uint8.
        file: of a folder: the image that it is.
    """

    name: str
    pixels: NDArray[np.uint8]
    file: str = ""


class Frames(ABC):
    """Frames in order, decoded one by one; can be iterated several times.

    Args:
        path: where they come from.
        every: take every so many-th.
        limit: at most so many; None takes all.
    """

    def __init__(self, path: Path, every: int = 1, limit: int | None = None) -> None:
        self.path = path
        self.every = every
        self.limit = limit

    @property
    @abstractmethod
    def total(self) -> int | None:
        """How many there are in all; None if that is not known before they are read."""

    @abstractmethod
    def read(self) -> Generator[Frame]:
        """The frames that were asked for."""

    @property
    def count(self) -> int | None:
        """How many will come; None if that is not known."""
        if self.total is None:
            return None
        taken = -(-self.total // self.every)
        return taken if self.limit is None else min(taken, self.limit)

    def __iter__(self) -> Iterator[Frame]:
        return self.read()

    def pixels(self) -> Iterator[NDArray[np.uint8]]:
        """Their pixels alone, as `Model.track` takes them."""
        return (frame.pixels for frame in self)


class FolderFrames(Frames):
    """The images of a folder, in natural order: frame2 comes before frame10."""

    def __init__(self, path: Path, every: int = 1, limit: int | None = None) -> None:
        super().__init__(path, every, limit)
        self.names = find_images(path, below=False).images
        stems = [Path(name).stem for name in self.names]
        self._stems = stems if len(set(stems)) == len(stems) else list(self.names)

    @property
    def total(self) -> int:
        """How many images the folder holds."""
        return len(self.names)

    def read(self) -> Generator[Frame]:
        """The images; a damaged one ends it with an :class:`ImageError` that names it."""
        pairs = zip(self._stems, self.names, strict=True)
        for stem, name in islice(islice(pairs, 0, None, self.every), self.limit):
            yield Frame(stem, load_image(self.path / name), name)


def open_frames(path: str | PathLike[str], *, every: int = 1, limit: int | None = None) -> Frames:
    """The frames of a folder of images, or of a video file.

    Args:
        path: the folder or file.
        every: take every so many-th frame.
        limit: at most so many.

    Raises:
        ImageError: there is no such folder or file, or it holds no frame.
        SeemkitError: the extra `video` is not installed, or a number is below 1.
    """
    if every < 1 or (limit is not None and limit < 1):
        raise SeemkitError(f"every={every}, limit={limit}: expected numbers from 1 on", path="frames")
    source = Path(path)
    if source.is_dir():
        return FolderFrames(source, every, limit)
    from seemkit.imaging.video import VideoFrames

    return VideoFrames(source, every, limit)

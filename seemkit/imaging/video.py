"""Frames of a video file, decoded by PyAV (the extra `video`)."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seemkit.errors import ImageError, SeemkitError
from seemkit.imaging.formats import HEAD, READ, recognise
from seemkit.imaging.frames import Frame, Frames
from seemkit.imaging.load import MAX_PIXELS
from seemkit_registry.suggestion import nearest

if TYPE_CHECKING:
    import av

__all__ = ["CONTAINERS", "VideoFrames"]

CONTAINERS = {"MP4 video": "mov", "Matroska video": "matroska", "AVI video": "avi", "GIF": "gif"}
"""What a video file may be, by its first bytes, and what the decoder calls it.

A format is never guessed: playlists and the like, which lead to other files or addresses, are not opened.
"""


class VideoFrames(Frames):
    """The frames of the first video stream of a file, turned as the file says."""

    def __init__(self, path: Path, every: int = 1, limit: int | None = None) -> None:
        super().__init__(path, every, limit)
        self._container = _recognise(path)
        self._av = _import_av()
        with path.open("rb") as file, self._open(file) as container:
            stream = self._stream(container)
            self._total = int(stream.frames) or None

    @property
    def total(self) -> int | None:
        """How many frames the file says that it has; None if it does not say."""
        return self._total

    def read(self) -> Generator[Frame]:
        """The frames, named by their number from 0 on; one that is damaged ends it with an :class:`ImageError`."""
        number = taken = 0
        with self.path.open("rb") as file, self._open(file) as container:
            frames = iter(container.decode(self._stream(container)))
            while self.limit is None or taken < self.limit:
                try:
                    frame = next(frames, None)
                except self._av.error.FFmpegError as error:
                    raise ImageError(
                        f"frame {number} of {str(self.path)!r} cannot be decoded: {_reason(error)}",
                        path="frames",
                    ) from error
                if frame is None:
                    return
                if number % self.every == 0:
                    yield Frame(f"{number:06d}", _upright(frame))
                    taken += 1
                number += 1

    def _open(self, file: Any) -> Any:
        try:
            return self._av.open(file, mode="r", format=self._container)
        except self._av.error.FFmpegError as error:
            raise ImageError(
                f"{str(self.path)!r} is a damaged video: {_reason(error)}", path="frames"
            ) from error

    def _stream(self, container: Any) -> Any:
        stream = next(iter(container.streams.video), None)
        if stream is None:
            raise ImageError(f"{str(self.path)!r} holds no video stream", path="frames")
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > MAX_PIXELS:
            raise ImageError(
                f"{str(self.path)!r} is {width} x {height}, over the limit of {MAX_PIXELS // 10**6} megapixels",
                path="frames",
            )
        stream.thread_type = "AUTO"
        return stream


def _import_av() -> Any:
    try:
        import av
    except ImportError as error:
        raise SeemkitError(
            'a video file needs PyAV: pip install "seemkit[video]"; a folder of images needs nothing more',
            path="frames",
        ) from error
    av.logging.set_level(av.logging.PANIC)  # what is wrong is said by the errors
    return av


def _recognise(path: Path) -> str:
    """What the decoder calls the format of a file."""
    if not path.is_file():
        near = nearest(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else []
        hint = f"; did you mean {str(path.with_name(near[0]))!r}?" if near else ""
        raise ImageError(f"there is no video or folder {str(path)!r}{hint}", path="frames")
    try:
        with path.open("rb") as file:
            form = recognise(file.read(HEAD))
    except OSError as error:
        raise ImageError(f"{str(path)!r} cannot be read: {error.strerror}", path="frames") from error
    if form in CONTAINERS:
        return CONTAINERS[form]
    what = f"is a {form} file" if form else "is no video"
    hint = ": give the folder of the frames, or use 'seemkit segment'" if form in READ else ""
    raise ImageError(
        f"{str(path)!r} {what}, expected MP4, MOV, Matroska, WebM, AVI or GIF{hint}", path="frames"
    )


def _upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """(H, W, 3) of a frame, turned counter-clockwise by the angle that its display matrix says."""
    pixels = frame.to_ndarray(format="rgb24")
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:200]

"""Photos with masks to evaluate on, read from tar shards; they are never trained on."""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seemkit.errors import SeemkitError

__all__ = ["Labelled", "read_masks", "read_video"]


@dataclass(frozen=True, eq=False)
class Labelled:
    """A photo with the mask of one object.

    Attributes:
        key: its name.
        image: (H, W, 3) uint8.
        mask: (H, W) bool.
        ignore: (H, W) bool, pixels that count neither way.
    """

    key: str
    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    ignore: NDArray[np.bool_]


def read_masks(path: Path, limit: int | None = None) -> Iterator[Labelled]:
    """Pairs KEY.webp and KEY.png of a tar in order; a mask is 255, what is ignored 128 (GrabCut's border)."""
    if not path.is_file():
        raise SeemkitError(f"there is no evaluation set {path}", path=str(path))
    images: dict[str, NDArray[np.uint8]] = {}
    count = 0
    with tarfile.open(path) as tar:
        for member in tar:
            key, _, suffix = member.name.rpartition(".")
            stream = tar.extractfile(member)
            if stream is None or suffix not in ("webp", "png"):
                continue
            with Image.open(io.BytesIO(stream.read())) as picture:
                if suffix == "webp":
                    images[key] = np.asarray(picture.convert("RGB"))
                    continue
                levels = np.asarray(picture.convert("L"))
            yield Labelled(key, images.pop(key), levels > 192, (levels > 64) & (levels <= 192))
            count += 1
            if count == limit:
                return


def read_video(path: Path, limit: int | None = None) -> list[Labelled]:
    """The frames of a sequence, in order of their names."""
    return sorted(read_masks(path), key=lambda frame: frame.key)[:limit]

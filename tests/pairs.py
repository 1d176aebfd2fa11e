"""Folders of pictures and masks, as the data set `folder` reads them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["write_pairs"]


def write_pairs(folder: Path, pairs: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> Path:
    """Write pictures (H, W, 3) and masks (H, W) to `images/N.png` and `masks/N.png`, N from 0 on; gives the folder."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number, (picture, mask) in enumerate(pairs):
        Image.fromarray(picture).save(folder / "images" / f"{number}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number}.png")
    return folder

"""A scene: what the image encoder gave of one image, encoded once, immutable, and able to be saved."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from seemkit.errors import SceneError, SeemkitError
from seemkit.geometry.grid import Grid
from seemkit.results.atomic import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image
    from torch import Tensor

    ImageSource: TypeAlias = "str | os.PathLike[str] | bytes | Image | NDArray[np.uint8] | Scene"

__all__ = ["Scene", "fingerprint_of_scene"]

FORMAT = "seemkit-scene-2"
TENSORS = ("level0", "level1", "level2", "fine")


@dataclass(frozen=True, eq=False)
class Scene:
    """What the encoder gave; nothing of the decoder is in it.

    Attributes:
        levels: maps (C, h, w) at strides 32, 16 and 8.
        fine: (D, H/4, W/4) of the padded input, which the pixel decoder's projection makes mask features of.
        grid: the resized input without padding, and the original image's size.
        padded: (H, W) of the padded input.
        encoder: hash of the encoder's weights and the preprocessing.
        pixels: hash of the image's pixels.
        meaning: (M, H/16, W/16) what names are read from, where the pixel decoder makes such a map; else None.
        photo: (3, k h, k w) uint8, the image k times as large as on the input grid of (h, w), where the network looks
            closer at it; else None.
        precision: that the encoder computed in: float32, tf32, bfloat16 or float16. A scene may be kept in another.
        image: the original pixels (H, W, 3) uint8 for pictures of results; not saved, None after loading.
    """

    levels: tuple[Tensor, Tensor, Tensor]
    fine: Tensor
    grid: Grid
    padded: tuple[int, int]
    encoder: str
    pixels: str
    image: NDArray[np.uint8] | None = field(default=None, repr=False)
    precision: str = "float32"
    meaning: Tensor | None = None
    photo: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the original image."""
        return self.grid.original

    @property
    def maps(self) -> dict[str, Tensor]:
        """All that the encoder gave, by the names in a scene file."""
        named = {f"level{i}": x for i, x in enumerate(self.levels)} | {"fine": self.fine}
        more = {"meaning": self.meaning, "photo": self.photo}
        return named | {name: x for name, x in more.items() if x is not None}

    @property
    def fingerprint(self) -> str:
        """Hash of encoder weights, preprocessing, pixels and precision."""
        return fingerprint_of_scene(self.encoder, self.pixels, self.precision)

    def __repr__(self) -> str:
        height, width = self.size
        return f"Scene({width} x {height} pixels, fingerprint {self.fingerprint[:12]})"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a safetensors file, whole or not at all.

        Raises:
            SceneError: the file cannot be written there.
        """
        from safetensors.torch import save

        about = {
            "format": FORMAT,
            "grid": self.grid.size,
            "image": self.size,
            "padded": self.padded,
            "encoder": self.encoder,
            "pixels": self.pixels,
            "precision": self.precision,
        }
        tensors = {name: x.detach().cpu().contiguous() for name, x in self.maps.items()}
        try:
            with replacing(path) as file:
                file.write(save(tensors, metadata={"seemkit": json.dumps(about)}))
        except SeemkitError as error:
            raise SceneError(f"the scene was not saved: {error}", path=error.path) from error
        return Path(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a scene file.

        Raises:
            SceneError: there is no such file, or it is truncated, damaged or not a scene.
        """
        from safetensors import SafetensorError, safe_open

        source = Path(path)
        if not source.is_file():
            raise SceneError(f"there is no scene file {source}", path=str(source))
        try:
            with safe_open(str(source), framework="pt") as file:
                about = _read_about(file.metadata())
                first, second, third, fine = (file.get_tensor(name) for name in TENSORS)
                there = set(file.keys())
                meaning, photo = (
                    file.get_tensor(name) if name in there else None for name in ("meaning", "photo")
                )
            height, width = (int(n) for n in about["grid"])
            rows, columns = (int(n) for n in about["image"])
            bottom, right = (int(n) for n in about["padded"])
            scene = cls(
                (first, second, third),
                fine,
                Grid(height, width, (rows, columns)),
                (bottom, right),
                str(about["encoder"]),
                str(about["pixels"]),
                precision=str(about.get("precision", "float32")),
                meaning=meaning,
                photo=photo,
            )
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise SceneError(
                f"{source} is not a whole scene file; encode the image again", path=str(source)
            ) from error
        shapes = [tuple(x.shape) for x in scene.maps.values()]
        if any(len(shape) != 3 for shape in shapes) or len({shape[0] for shape in shapes[:3]}) != 1:
            raise SceneError(
                f"{source} holds maps of shapes {shapes}, which are no scene's; encode the image again",
                path=str(source),
            )
        return scene

    @staticmethod
    def stored_fingerprint(path: str | os.PathLike[str]) -> str | None:
        """The fingerprint of the scene in a file, whose header alone is read; None if it is no whole scene."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="pt") as file:
                about = _read_about(file.metadata())
                whole = set(TENSORS) <= set(file.keys())
            if not whole:
                return None
            precision = str(about.get("precision", "float32"))
            return fingerprint_of_scene(str(about["encoder"]), str(about["pixels"]), precision)
        except (SafetensorError, OSError, KeyError, TypeError, ValueError):
            return None


def fingerprint_of_scene(encoder: str, pixels: str, precision: str) -> str:
    """The fingerprint of the scene of an image, without the scene: of the hashes of encoder and pixels."""
    computed = "" if precision == "float32" else precision
    return hashlib.sha256(f"{encoder}{pixels}{computed}".encode()).hexdigest()


def _read_about(metadata: dict[str, str] | None) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((metadata or {})["seemkit"])
    if about["format"] != FORMAT:
        raise ValueError(f"it is of the form {about['format']!r}")
    return about

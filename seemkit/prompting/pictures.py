"""Field type for the image of a reference: a path, or pixels or a scene, which travel by their hash."""

from collections.abc import Mapping
from os import PathLike, fspath
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema

from seemkit.prompting.arrays import array_hash

if TYPE_CHECKING:
    from seemkit.scene import ImageSource, Scene

    Picture: TypeAlias = ImageSource | Scene
from seemkit.prompting.handed_over import take_asset

__all__ = ["Picture", "fingerprint_of", "open_picture"]


def fingerprint_of(picture: object) -> str | None:
    """The fingerprint of a scene; None for anything else. (Told by the attribute: scenes come with torch.)"""
    found = getattr(picture, "fingerprint", None)
    return found if isinstance(found, str) and found else None


def open_picture(picture: object) -> NDArray[np.uint8]:
    """The pixels (H, W, 3) of a path, PIL image or array, read-only.

    Raises:
        ImageError: it is none of these, or cannot be read.
    """
    from seemkit.imaging.load import load_image

    pixels = load_image(picture)  # type: ignore[arg-type]  # it says in a sentence what it does not take
    pixels.flags.writeable = False
    return pixels


def _read_picture(value: object, info: ValidationInfo) -> object:
    if isinstance(value, Mapping):
        return _read_asset(value, (info.context or {}).get("assets") or {})
    if fingerprint_of(value):
        return value
    if isinstance(value, str | PathLike):
        path = fspath(value)
        if not isinstance(path, str) or not path.strip():
            raise ValueError("expected the path of an image, found an empty one")
        return path
    return open_picture(value)


def _read_asset(value: Mapping[str, Any], assets: Mapping[str, object]) -> object:
    kind = "scene" if "scene" in value else "sha256"
    name = value.get(kind)
    if not isinstance(name, str):
        raise ValueError('expected a path, {"sha256": hash} of an image or {"scene": fingerprint}')
    if kind == "scene":
        found = take_asset(assets, name, "scene", fingerprint_of)
    else:
        found = take_asset(assets, name, "image", lambda x: array_hash(np.asarray(x)))
    if isinstance(found, np.ndarray):
        found = found.copy()
        found.flags.writeable = False
    return found


def _write_picture(value: object) -> str | dict[str, Any]:
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        return {"sha256": array_hash(value), "shape": list(value.shape), "dtype": str(value.dtype)}
    return {"scene": fingerprint_of(value)}


if not TYPE_CHECKING:
    Picture = Annotated[
        object,
        Field(description="a path, pixels, or a scene"),
        BeforeValidator(_read_picture),
        PlainSerializer(_write_picture, return_type=str | dict),
        WithJsonSchema(
            {
                "description": "the path of an image, or the hash of one (or of a scene) that is handed over",
                "anyOf": [
                    {"type": "string", "minLength": 1},
                    {"type": "object", "properties": {"sha256": {"type": "string"}}, "required": ["sha256"]},
                    {"type": "object", "properties": {"scene": {"type": "string"}}, "required": ["scene"]},
                ],
            }
        ),
    ]

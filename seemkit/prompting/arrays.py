"""Field types for arrays in prompts: masks travel as COCO run lengths, large arrays by their hash."""

import hashlib
from collections.abc import Mapping
from os import PathLike
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema

from seemkit.prompting.handed_over import take_asset

__all__ = ["Asset", "BinaryMask", "array_hash", "covers", "decode_rle", "encode_rle"]


def encode_rle(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """COCO compressed run lengths of a (H, W) bool mask: {"size": [H, W], "counts": "..."}."""
    from pycocotools import mask as coco

    rle = coco.encode(np.asfortranarray(mask, np.uint8))
    return {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")}


def decode_rle(rle: Mapping[str, Any]) -> NDArray[np.bool_]:
    """The (H, W) bool mask of COCO run lengths, compressed (text) or not (a list of counts)."""
    from pycocotools import mask as coco

    try:
        height, width = (int(n) for n in rle["size"])
        counts = rle["counts"]
        if height < 1 or width < 1 or height * width > 200_000_000:
            raise ValueError
        if isinstance(counts, list):
            flat = np.repeat(np.arange(len(counts)) % 2 == 1, np.asarray(counts, np.int64))
            return flat.reshape(width, height).T.copy()
        raw = counts.encode("ascii") if isinstance(counts, str) else bytes(counts)
        if not covers(raw, height * width):
            raise ValueError
        return np.asarray(coco.decode({"size": [height, width], "counts": raw}), bool)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            'expected COCO run lengths {"size": [H, W], "counts": ...} that fill the size'
        ) from error


def array_hash(array: NDArray[Any]) -> str:
    """SHA-256 of an array's shape, type and bytes."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def covers(counts: bytes, pixels: int) -> bool:
    """Whether compressed run lengths add up to the number of pixels (the decoder itself does not check)."""
    runs: list[int] = []
    at = 0
    while at < len(counts):
        value, shift = 0, 0
        while True:
            if at >= len(counts):
                return False
            char = counts[at] - 48
            at += 1
            value |= (char & 0x1F) << (5 * shift)
            shift += 1
            if not char & 0x20:
                if char & 0x10:
                    value |= -1 << (5 * shift)
                break
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return all(run >= 0 for run in runs) and sum(runs) == pixels


def _read_mask(value: Any) -> NDArray[np.bool_]:
    mask = decode_rle(value) if isinstance(value, Mapping) else np.asarray(value)
    if mask.dtype.kind not in "biuf":
        hint = ": read the file first, for instance by numpy.asarray(PIL.Image.open(path))"
        raise ValueError(
            f"expected a (H, W) array or run lengths, not a {type(value).__name__}"
            f"{hint if isinstance(value, str | PathLike) else ''}"
        )
    if mask.ndim != 2 or 0 in mask.shape:
        raise ValueError(f"expected a mask of shape (H, W), not {mask.shape}")
    if mask.dtype != np.bool_:
        if mask.dtype.kind not in "iuf" or not np.isin(mask, (0, 1, 255)).all():
            raise ValueError(
                f"expected a mask of True and False (or 0 and 1, or 0 and 255), not {mask.dtype} values"
            )
        mask = mask > 0
    mask = mask.copy()
    mask.flags.writeable = False
    return mask


def _read_asset(value: Any, info: ValidationInfo) -> NDArray[Any]:
    if isinstance(value, Mapping):
        if "counts" in value:
            return _read_mask(value)
        assets = (info.context or {}).get("assets", {})
        name = value.get("sha256")
        found = take_asset(assets, name, "array", lambda x: array_hash(np.asarray(x)))
        value = found
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or array.size == 0:
        raise ValueError(f"expected an array of numbers, not {array.dtype} of shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("expected finite numbers, found NaN or infinity")
    array = array.copy()
    array.flags.writeable = False
    return array


def _write_asset(array: NDArray[Any]) -> dict[str, Any]:
    if array.dtype == np.bool_ and array.ndim == 2:
        return encode_rle(array)
    return {"sha256": array_hash(array), "shape": list(array.shape), "dtype": str(array.dtype)}


BinaryMask = Annotated[
    NDArray[np.bool_],
    Field(description="(H, W) bool of the size of the image, or COCO run lengths"),
    BeforeValidator(_read_mask),
    PlainSerializer(encode_rle, return_type=dict),
    WithJsonSchema(
        {
            "type": "object",
            "description": "COCO run lengths",
            "properties": {
                "size": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 1},
                    "minItems": 2,
                    "maxItems": 2,
                },
                "counts": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]},
            },
            "required": ["size", "counts"],
        }
    ),
]
"""A (H, W) bool mask, or COCO run lengths."""

Asset = Annotated[
    NDArray[Any],
    Field(description="an array; in JSON, run lengths or the hash of one handed over"),
    BeforeValidator(_read_asset),
    PlainSerializer(_write_asset, return_type=dict),
    WithJsonSchema(
        {"type": "object", "description": "COCO run lengths, or {sha256} of an array handed over"}
    ),
]
"""An array that travels in JSON by its hash (binary masks as run lengths)."""

"""Results as files: overlays, JSON and arrays, chosen by the suffix."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seemkit.errors import SeemkitError
from seemkit.results.atomic import replacing
from seemkit_registry.suggestion import nearest

if TYPE_CHECKING:
    from seemkit.result import Result

__all__ = ["SUFFIXES", "check_suffix", "save"]

_PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}

SUFFIXES = (*_PICTURES, ".json", ".npz")
"""What a result can be saved as."""


def save(result: Result, path: Path) -> Path:
    """Write `result` to `path` whole or not at all, and give the path back.

    Raises:
        SeemkitError: the suffix is unknown, or the file cannot be written.
        ImageError: an overlay is asked for, and the result carries no image.
    """
    check_suffix(path)
    data = _encode(result, path.suffix.lower())
    with replacing(path) as file:
        file.write(data)
    return path


def check_suffix(path: Path) -> None:
    """Raise :class:`SeemkitError` unless a result can be saved under this suffix."""
    if path.suffix.lower() not in SUFFIXES:
        raise _unknown(path)


def _encode(result: Result, suffix: str) -> bytes:
    buffer = io.BytesIO()
    if suffix == ".json":
        return (json.dumps(result.to_dict(), allow_nan=False, ensure_ascii=False) + "\n").encode()
    if suffix == ".npz":
        write: Callable[..., None] = np.savez_compressed  # its stub takes every keyword for its own
        write(buffer, **_arrays(result))
    else:
        result.overlay().save(buffer, _PICTURES[suffix], quality=92)
    return buffer.getvalue()


def _arrays(result: Result) -> dict[str, NDArray[np.generic]]:
    """The arrays of the result, and its words as arrays of text; what is absent is left out."""
    arrays: dict[str, NDArray[np.generic]] = {
        "masks": result.masks,
        "scores": result.scores,
        "objects": np.array(result.objects, np.str_),
        "labels": np.array([name or "" for name in result.names], np.str_),
        "vocabulary": np.array(result.vocabulary, np.str_),
    }
    maps = {"selection": result.selection, "logits": result.logits, "semantic": result.semantic}
    arrays |= {name: array for name, array in maps.items() if array is not None}
    if result.segments is not None:
        arrays["segments"] = result.segments.ids
    return arrays


def _unknown(path: Path) -> SeemkitError:
    expected = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
    if not path.suffix:
        suggestion = f"{path}.png"
        given = "has no suffix"
    else:
        close = nearest(path.suffix.lower(), SUFFIXES)
        suggestion = str(path.with_suffix(close[0] if close else ".png"))
        given = f"has the suffix {path.suffix!r}"
    return SeemkitError(
        f"{str(path)!r} {given}: expected {expected}; did you mean {suggestion!r}?",
        path="path",
        suggestion=suggestion,
    )

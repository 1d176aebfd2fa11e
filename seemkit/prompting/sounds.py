"""Field type for a sound: a path, or samples, which travel by their hash; and reading either as one channel."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

from seemkit.errors import PromptError
from seemkit.prompting.arrays import array_hash

if TYPE_CHECKING:
    Sound: TypeAlias = str | PathLike[str] | NDArray[np.float32]
from seemkit.prompting.handed_over import take_asset

__all__ = ["LONGEST", "Sound", "open_sound"]

LONGEST = 120
"""Seconds of a sound."""
INSTALL = 'pip install "seemkit[audio]"'


def open_sound(sound: object, rate: int | None = None, *, to: int = 16_000) -> NDArray[np.float32]:
    """One channel (N,) of a sound in [-1, 1], at `to` samples a second.

    Args:
        sound: the path of a WAV, FLAC, OGG or MP3 file; or samples (N,) or (N, channels).
        rate: samples a second of an array; a file has its own.
        to: samples a second of the result.

    Raises:
        PromptError: there is no such file, it is no sound or too long, or the library that reads it is missing.
    """
    from scipy.signal import resample_poly

    samples, found = (
        _read_file(str(sound)) if isinstance(sound, str | PathLike) else (np.asarray(sound), rate)
    )
    if not found:
        raise PromptError("rate is missing: samples need their number a second", path="rate")
    if len(samples) > LONGEST * found:
        raise PromptError(
            f"the sound is {len(samples) / found:.0f} seconds long; at most {LONGEST} are taken", path="sound"
        )
    mono = samples.astype(np.float32)
    if mono.ndim == 2:
        mono = mono.mean(axis=1)
    divisor = gcd(found, to)
    if found != to:
        mono = resample_poly(mono, to // divisor, found // divisor).astype(np.float32)
    return np.clip(mono, -1, 1)


def _read_file(path: str) -> tuple[NDArray[np.float32], int]:
    file = Path(path)
    if not file.is_file():
        raise PromptError(f"there is no sound file {path!r}{_near(file)}", path="sound")
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: its library is not there
        raise PromptError(
            f"sound files are read by soundfile, which is missing: {INSTALL}", path="sound"
        ) from error
    try:
        about = soundfile.info(path)
        if about.frames > LONGEST * about.samplerate:
            raise PromptError(
                f"{path!r} is {about.frames / about.samplerate:.0f} seconds long; at most {LONGEST} are taken",
                path="sound",
            )
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        raise PromptError(
            f"{path!r} is no sound that can be read: expected a WAV, FLAC, OGG or MP3 file", path="sound"
        ) from error
    if not len(samples) or not np.isfinite(samples).all():
        raise PromptError(f"{path!r} holds no sound", path="sound")
    return samples, int(rate)


def _near(file: Path) -> str:
    from seemkit_registry.suggestion import nearest

    near = nearest(file.name, (f.name for f in file.parent.iterdir())) if file.parent.is_dir() else []
    return f"; did you mean {str(file.with_name(near[0]))!r}?" if near else ""


def _read_sound(value: object, info: ValidationInfo) -> object:
    if isinstance(value, Mapping):
        return _read_asset(value, (info.context or {}).get("assets") or {})
    if isinstance(value, str | PathLike):
        path = fspath(value)
        if not isinstance(path, str) or not path.strip():
            raise ValueError("expected the path of a sound, found an empty one")
        return path
    return _check_samples(value)


def _check_samples(value: object) -> NDArray[np.float32]:
    samples = np.asarray(value)
    if samples.dtype.kind not in "iuf" or samples.ndim not in (1, 2) or 0 in samples.shape:
        raise ValueError(
            f"expected the path of a sound, or samples (N,) or (N, channels), not {samples.dtype} of shape "
            f"{samples.shape}"
        )
    if samples.ndim == 2 and samples.shape[1] > 16:
        raise ValueError(f"expected samples (N, channels), found {samples.shape[1]} channels")
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        raise ValueError("expected finite samples, found NaN or infinity")
    scaled = samples.astype(np.float32)
    if samples.dtype.kind in "iu":
        if samples.dtype not in (np.int16, np.int32):
            raise ValueError(f"expected samples in float, int16 or int32, not {samples.dtype}")
        scaled /= -float(np.iinfo(samples.dtype).min)
    scaled = scaled.copy()
    scaled.flags.writeable = False
    return scaled


def _read_asset(value: Mapping[str, Any], assets: Mapping[str, object]) -> NDArray[np.float32]:
    name = value.get("sha256")
    if not isinstance(name, str):
        raise ValueError('expected a path, or {"sha256": hash} of samples that are handed over')
    found = take_asset(assets, name, "sound", lambda x: array_hash(np.asarray(x)), "array")
    return _check_samples(np.asarray(found))


def _write_sound(value: object) -> str | dict[str, Any]:
    if isinstance(value, str):
        return value
    samples = np.asarray(value)
    return {"sha256": array_hash(samples), "shape": list(samples.shape), "dtype": str(samples.dtype)}


if not TYPE_CHECKING:
    Sound = Annotated[
        object,
        BeforeValidator(_read_sound),
        PlainSerializer(_write_sound, return_type=str | dict),
        WithJsonSchema(
            {
                "description": "the path of a sound, or the hash of samples that are handed over",
                "anyOf": [
                    {"type": "string", "minLength": 1},
                    {"type": "object", "properties": {"sha256": {"type": "string"}}, "required": ["sha256"]},
                ],
            }
        ),
    ]

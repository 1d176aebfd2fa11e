"""A concept: what the sampler made of regions of other images, in a file of a few kilobytes.

The tokens of a region are drawn together to a few, with the number of points that each stands for, and written in
eight bits; or kept one by one, in full precision. Tokens mean something to the weights that made them only, so the
file holds the hash of these.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seemkit.errors import ConceptError, SeemkitError
from seemkit.results.atomic import replacing

__all__ = ["ConceptFile", "ConceptRegion", "TokenRows"]

FORMAT = "seemkit-concept-1"
BIGGEST = 64_000_000
"""Bytes of a file."""
MOST_POINTS = 4096
"""That the tokens of a region stand for; attention pays for each."""
MOST_REGIONS = 256


@dataclass(frozen=True, eq=False)
class TokenRows:
    """Rows (K, C), in eight bits with a scale for each, or as they are.

    Attributes:
        values: (K, C) int8 with a scale, else float32.
        scale: (K,) float32, what a row is multiplied with; None for 1.
    """

    values: NDArray[np.int8] | NDArray[np.float32]
    scale: NDArray[np.float32] | None = None

    @classmethod
    def in_eight_bits(cls, rows: NDArray[np.float32]) -> TokenRows:
        """Rows (K, C) with 127 steps on either side of 0."""
        scale = np.maximum(np.abs(rows).max(axis=1), np.finfo(np.float32).tiny).astype(np.float32) / 127
        return cls(np.rint(rows / scale[:, None]).astype(np.int8), scale)

    def dense(self) -> NDArray[np.float32]:
        """(K, C) float32."""
        if self.scale is None:
            return np.asarray(self.values, np.float32)
        return np.asarray(self.values.astype(np.float32) * self.scale[:, None])


@dataclass(frozen=True, eq=False)
class ConceptRegion:
    """What is kept of one region.

    Attributes:
        include: False if the concept is what is not like this; then there is an anchor and no token.
        anchor: (C,) float32, the mean mask feature.
        content: for each feature level K tokens (K, C).
        offset: for each level what a token's position has on top of its content; empty if nothing.
        counts: for each level (K,) int32, how many points a token stands for; their sum is the same at all.
    """

    include: bool
    anchor: NDArray[np.float32]
    content: tuple[TokenRows, ...] = ()
    offset: tuple[TokenRows, ...] = ()
    counts: tuple[NDArray[np.int32], ...] = ()

    @property
    def points(self) -> int:
        """How many points the tokens of a level stand for."""
        return int(self.counts[0].sum()) if self.counts else 0


@dataclass(frozen=True, eq=False)
class ConceptFile:
    """A concept as a value; a prompt takes it as it takes the path of its file.

    Attributes:
        regions: at least one of which includes.
        weights: hash of the weights that made it; None for one that was made by hand, which no file is.
        assembly: that the weights belong to, for sentences.
        name: what it is called, for sentences.
    """

    regions: tuple[ConceptRegion, ...]
    weights: str | None = None
    assembly: str = ""
    name: str = "concept"

    def __repr__(self) -> str:
        apart = sum(not region.include for region in self.regions)
        return f"ConceptFile({self.name!r}, {len(self.regions) - apart} regions, {apart} that it is not)"

    @property
    def channels(self) -> int:
        """C, the width of tokens and anchors."""
        return int(self.regions[0].anchor.shape[0])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of regions and weights; the name does not count."""
        about, arrays = _pack(self)
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        for name in sorted(arrays):
            digest.update(f"{name}{arrays[name].dtype.str}{arrays[name].shape}".encode())
            digest.update(np.ascontiguousarray(arrays[name]).tobytes())
        return digest.hexdigest()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a safetensors file, whole or not at all.

        Raises:
            ConceptError: it was made by hand, or the file cannot be written there.
        """
        from safetensors.numpy import save

        if self.weights is None:
            raise ConceptError("a concept that was made by hand names no weights, so it is not saved")
        about, arrays = _pack(self)
        data = save(arrays, metadata={"seemkit": json.dumps({**about, "name": self.name})})
        try:
            with replacing(path) as file:
                file.write(data)
        except SeemkitError as error:
            raise ConceptError(f"the concept was not saved: {error}", path=error.path) from error
        return Path(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ConceptFile:
        """Read a concept file; no torch is needed.

        Raises:
            ConceptError: there is no such file, or it is truncated, damaged or no concept.
        """
        from safetensors import SafetensorError, safe_open

        source = Path(path)
        if not source.is_file():
            raise ConceptError(f"there is no concept file {str(source)!r}{_near(source)}", path=str(source))
        try:
            if source.stat().st_size > BIGGEST:
                raise ValueError(f"it is larger than {BIGGEST // 10**6} MB")
            with safe_open(str(source), framework="np") as file:
                about = json.loads((file.metadata() or {})["seemkit"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            if about["format"] != FORMAT:
                raise ValueError(f"it is of the form {about['format']!r}")
            found = _unpack(about, arrays)
            if not found.weights:
                raise ValueError("it names no weights")
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, IndexError) as error:
            raise ConceptError(
                f"{str(source)!r} is not a whole concept file; save the concept again", path=str(source)
            ) from error
        return replace(found, name=source.stem)


def _near(source: Path) -> str:
    from seemkit_registry.suggestion import nearest

    near = nearest(source.name, (f.name for f in source.parent.iterdir())) if source.parent.is_dir() else []
    return f"; did you mean {str(source.with_name(near[0]))!r}?" if near else ""


def _pack(concept: ConceptFile) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What the file says of itself, and its arrays: rows of all regions and levels one after another."""
    sizes = [[len(counts) for counts in region.counts] for region in concept.regions]
    parts: dict[str, list[NDArray[Any]]] = {"anchors": [region.anchor[None] for region in concept.regions]}
    for region in concept.regions:
        for counts in region.counts:
            parts.setdefault("counts", []).append(counts)
        for kind, levels in (("content", region.content), ("offset", region.offset)):
            for rows in levels:
                parts.setdefault(kind, []).append(rows.values)
                if rows.scale is not None:
                    parts.setdefault(f"{kind}_scale", []).append(rows.scale)
    about = {
        "format": FORMAT,
        "weights": concept.weights,
        "assembly": concept.assembly,
        "include": [region.include for region in concept.regions],
        "sizes": sizes,
    }
    return about, {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _unpack(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> ConceptFile:
    """The concept of what `_pack` gave; raises ValueError and its like for anything else."""
    include, sizes, anchors = about["include"], about["sizes"], arrays["anchors"]
    if not 1 <= len(include) <= MOST_REGIONS or len(include) != len(sizes) or not any(include):
        raise ValueError("it has no region that includes")
    if anchors.ndim != 2 or len(anchors) != len(include) or anchors.dtype != np.float32:
        raise ValueError("its anchors are not one for each region")
    cut = _Cut(arrays, int(anchors.shape[1]))
    regions = []
    for sign, size, anchor in zip(include, sizes, anchors, strict=True):
        levels = [int(count) for count in size] if sign else []
        counts = tuple(cut.counts(count) for count in levels)
        content = tuple(cut.rows("content", count) for count in levels)
        offset = tuple(cut.rows("offset", count) for count in levels) if "offset" in arrays else ()
        totals = {int(each.sum()) for each in counts}
        if sign and (len(totals) != 1 or not 1 <= max(totals) <= MOST_POINTS):
            raise ValueError("its tokens do not stand for the same points at every level")
        regions.append(ConceptRegion(bool(sign), anchor, content, offset, counts))
    if not cut.is_used_up() or not all(np.isfinite(x).all() for x in arrays.values()):
        raise ValueError("it holds more than its regions, or numbers that are not finite")
    return ConceptFile(tuple(regions), str(about["weights"] or ""), str(about["assembly"]))


class _Cut:
    """Takes rows of regions and levels from the arrays of a file, one after another."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], channels: int) -> None:
        self._arrays, self._channels = arrays, channels
        self._at = {name: 0 for name in arrays if name != "anchors"}

    def counts(self, length: int) -> NDArray[np.int32]:
        found = self._next("counts", length, ())
        if found.dtype != np.int32 or (found < 1).any():
            raise ValueError("its counts are no numbers of points")
        return found

    def rows(self, kind: str, length: int) -> TokenRows:
        values = self._next(kind, length, (self._channels,))
        scaled = f"{kind}_scale" in self._arrays
        scale = self._next(f"{kind}_scale", length, ()) if scaled else None
        expected = (np.int8, np.float32) if scaled else (np.float32, None)
        if values.dtype != expected[0] or (scale is not None and scale.dtype != expected[1]):
            raise ValueError("its rows are of another type")
        return TokenRows(values, scale)

    def is_used_up(self) -> bool:
        return all(at == len(self._arrays[name]) for name, at in self._at.items())

    def _next(self, name: str, length: int, shape: Sequence[int]) -> NDArray[Any]:
        at = self._at[name]
        found = self._arrays[name][at : at + length]
        if length < 1 or found.shape != (length, *shape):
            raise ValueError(f"its {name} end too early")
        self._at[name] = at + length
        return found

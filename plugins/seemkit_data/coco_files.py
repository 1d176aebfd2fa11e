"""The files of a data set in a COCO format: a folder or an uncompressed tar with a JSON of annotations and images."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from seemkit import api

__all__ = ["CocoFiles", "CocoOptions", "Record"]

Record = Mapping[str, Any]
"""An image, category or annotation of the JSON."""

IMAGES = ("", "images", "train2017", "val2017", "train2014", "val2014", "train", "val")
"""Folders that images are looked for in, if none is named."""


class CocoOptions(BaseModel):
    """Options that all data sets in a COCO format share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="a folder, or an uncompressed tar")
    annotations: str = Field("", description="the JSON, below `path`; by default the only one that fits")
    images: str | None = Field(
        None, description="folder of the images, below `path`; null looks in the usual ones"
    )
    name: str = Field("", description="what reports call it; by default the name of the file or folder")
    license: str = Field("", description="terms of images and annotations")


class CocoFiles:
    """What lies below a path, and one JSON of it.

    Args:
        options: where.
        fits: whether a JSON is of the format that is wanted; looks at its annotations.
        wanted: what the JSON should be, for sentences.
    """

    def __init__(self, options: CocoOptions, fits: "Fits", wanted: str) -> None:
        self.path = options.path
        self._members = api.tar_members(options.path) if options.path.is_file() else None
        if self._members is None and not options.path.is_dir():
            raise api.SeemkitError(f"there is no folder or tar {str(options.path)!r}", path="path")
        names = [options.annotations] if options.annotations else self._json_files()
        found: list[tuple[str, Record]] = []
        for name in names:
            data = self._read_json(name, strict=bool(options.annotations))
            if data is not None and fits(data):
                found.append((name, data))
        if len(found) != 1:
            said = (
                f"there is no {wanted}"
                if not found
                else f"several files are {wanted}: " + ", ".join(name for name, _ in found)
            )
            where = f" {options.annotations!r}" if options.annotations else ""
            raise api.SeemkitError(
                f"{str(options.path)!r}: {said}{where}; name one with 'annotations'", path="annotations"
            )
        self.json, self.data = found[0]
        self._folders = IMAGES if options.images is None else (options.images.strip("/"),)

    def image(self, name: str) -> str | api.FileSlice | None:
        """The image file of a name in the JSON; None if it is not there."""
        return self.find(*((folder, name) for folder in self._folders))

    def find(self, *places: Sequence[str]) -> str | api.FileSlice | None:
        """The first file that is there, of places below the path."""
        for parts in places:
            inner = "/".join(part for part in parts if part)
            if self._members is not None:
                if inner in self._members:
                    return self._members[inner]
            elif (self.path / inner).is_file() and ".." not in Path(inner).parts:
                return str(self.path / inner)
        return None

    def read_json(self, name: str) -> Record:
        """Another JSON below the path.

        Raises:
            SeemkitError: it is not there, or no JSON.
        """
        data = self._read_json(name, strict=True)
        assert data is not None
        return data

    def _json_files(self) -> list[str]:
        if self._members is not None:
            return [name for name in self._members if name.endswith(".json")]
        here = [*self.path.glob("*.json"), *self.path.glob("annotations/*.json")]
        return sorted(path.relative_to(self.path).as_posix() for path in here)

    def _read_json(self, name: str, *, strict: bool) -> Record | None:
        file = self.find([name])
        try:
            if file is None:
                raise api.SeemkitError(f"there is no {name!r} in {str(self.path)!r}", path="annotations")
            raw = file.read() if isinstance(file, api.FileSlice) else Path(file).read_bytes()
            data = json.loads(raw)
        except (OSError, ValueError) as error:
            if not strict:
                return None
            if isinstance(error, api.SeemkitError):
                raise
            raise api.SeemkitError(
                f"{name!r} is not JSON that can be read: {error}", path="annotations"
            ) from error
        if isinstance(data, dict) and all(
            isinstance(data.get(key), list) for key in ("images", "annotations")
        ):
            return data
        if strict and not isinstance(data, dict):
            raise api.SeemkitError(f"{name!r} has no 'images' and 'annotations'", path="annotations")
        return data if strict else None


class Fits:
    """Whether a JSON is of a format: some annotation has one field, and none has certain others."""

    def __init__(self, has: str, lacks: Sequence[str] = ()) -> None:
        self.has = has
        self.lacks = tuple(lacks)

    def __call__(self, data: Record) -> bool:
        fields = {key for each in data.get("annotations") or () if isinstance(each, dict) for key in each}
        return self.has in fields and fields.isdisjoint(self.lacks)

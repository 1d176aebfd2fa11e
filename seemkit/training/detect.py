"""What kind of data set lies at a path, so that `--data DIR` is all that has to be said."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import JsonValue

from seemkit.data.file_slice import FileSlice, tar_members
from seemkit.errors import SeemkitError

__all__ = ["detect_source"]

MASKS = ("masks", "labels", "annotations")
"""Folders that masks are looked for in."""


def detect_source(path: Path) -> dict[str, JsonValue]:
    """The choice of a data set for a folder or tar: COCO by the JSON in it, else images and masks.

    Raises:
        SeemkitError: it is nothing that can be told, with what would be.
    """
    if not path.exists():
        raise SeemkitError(f"there is no data {str(path)!r}", path="--data")
    found = {use: name for name, use in _coco_files(path)}
    if len(found) > 1:
        said = ", ".join(f"{name} ({use})" for use, name in found.items())
        raise SeemkitError(
            f"{str(path)!r} holds several data sets: {said}; write a recipe whose data.sources name them",
            path="--data",
        )
    if found:
        (use,) = found
        return {"use": use, "path": str(path)}
    if path.is_file() or any(path.glob("*.tar")):
        return {"use": "tar-pairs", "path": str(path)}
    images = "images" if (path / "images").is_dir() else "."
    for masks in MASKS:
        if (path / masks).is_dir():
            return {"use": "folder", "path": str(path), "images": images, "masks_in": masks}
    raise SeemkitError(
        f"{str(path)!r} is no data set that can be told: expected a JSON in COCO's format with its images, folders "
        "'images' and 'masks', or tars of KEY.jpg and KEY.png; or write a recipe whose data.sources say what it is",
        path="--data",
    )


def _coco_files(path: Path) -> Iterator[tuple[str, str]]:
    """Every JSON in a COCO format, and the data set that reads it."""
    for name, source in _jsons(path):
        try:
            data = json.loads(source.read() if isinstance(source, FileSlice) else source.read_bytes())
        except (OSError, ValueError):
            continue
        use = _format_of(data)
        if use is not None:
            yield name, use


def _jsons(path: Path) -> Iterator[tuple[str, FileSlice | Path]]:
    if path.is_file():
        yield from ((name, member) for name, member in tar_members(path).items() if name.endswith(".json"))
        return
    for file in sorted([*path.glob("*.json"), *path.glob("annotations/*.json")]):
        yield file.relative_to(path).as_posix(), file


def _format_of(data: object) -> str | None:
    if not isinstance(data, Mapping) or not isinstance(data.get("images"), list):
        return None
    annotations = data.get("annotations")
    first = annotations[0] if isinstance(annotations, list) and annotations else None
    if not isinstance(first, Mapping):
        return None
    by_field = {"segments_info": "coco-panoptic", "sentences": "coco-phrases", "segmentation": "coco"}
    return next((use for field, use in by_field.items() if field in first), None)

"""What kind of data set lies at a path, so that `--data DIR` is all that has to be said."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pydantic import JsonValue

from seemkit.data.file_slice import FileSlice, tar_members
from seemkit.errors import SeemkitError

__all__ = ["detect_source"]

MASKS = ("masks", "labels", "annotations")
"""Folders that masks are looked for in."""

PHOTO, MASK = (".jpg", ".jpeg", ".webp"), (".png", ".bmp", ".tif", ".tiff", ".gif")
"""How the names of photos and of mask images end."""

PLAIN = re.compile(r"[\w./-]+")
"""What YAML takes without quotes, between braces."""


class _Jsons(NamedTuple):
    """What the JSON files below a path are: names and data sets of those that can be taken, faults of the others."""

    found: list[tuple[str, str]]
    faults: list[str]


def detect_source(path: Path) -> dict[str, JsonValue]:
    """The choice of a data set for a folder, tar or JSON: COCO by the JSON, else images and masks.

    A folder whose `train` has COCO's format, as Roboflow exports it, means that `train`.

    Raises:
        SeemkitError: it is nothing that can be told, with what would be.
    """
    if not path.exists():
        raise SeemkitError(f"there is no data {str(path)!r}", path="--data")
    if path.suffix == ".json" and path.is_file():
        return _of_json(path)
    here = _look_at(_jsons(path))
    if here.found:
        return _only_one(path, here.found)
    is_tar = path.is_file()
    if is_tar and here.faults and not _has_pair(tar_members(path)):
        raise SeemkitError(here.faults[0], path="--data")
    if is_tar or any(path.glob("*.tar")):
        return {"use": "tar-pairs", "path": str(path)}
    inner = _look_at(_jsons(path / "train"))
    if inner.found:
        return _only_one(path / "train", inner.found)
    images = "images" if (path / "images").is_dir() else "."
    for masks in MASKS:
        if any(file.suffix.lower() in MASK for file in (path / masks).rglob("*")):
            return {"use": "folder", "path": str(path), "images": images, "masks_in": masks}
    for folder in (".", "images"):
        if _has_pair(file.name for file in (path / folder).glob("*")):
            return {"use": "folder", "path": str(path), "images": folder, "masks_in": folder}
    for said in (*here.faults, *inner.faults):
        raise SeemkitError(said, path="--data")
    raise SeemkitError(
        f"{str(path)!r} is no data set that can be told: expected a JSON in COCO's format with its images, folders "
        "'images' and 'masks', KEY.jpg beside KEY.png, or tars of these; or write a recipe whose data.sources say "
        "what it is",
        path="--data",
    )


def _of_json(path: Path) -> dict[str, JsonValue]:
    """COCO by its JSON: the images lie beside it, or beside the folder 'annotations' that it is in."""
    found, faults = _look_at([(path.name, path)])
    if not found:
        said = faults[0] if faults else f"{str(path)!r} is no JSON in COCO's format: it has no list 'images'"
        raise SeemkitError(said, path="--data")
    folder = path.absolute().parent
    root = folder.parent if folder.name == "annotations" else folder
    return {
        "use": found[0][1],
        "path": str(root),
        **_part(root, path.absolute().relative_to(root).as_posix()),
    }


def _part(root: Path, name: str) -> dict[str, JsonValue]:
    """Options that say which JSON, and where its images are if that is a folder named in it (instances_train2017)."""
    of = PurePosixPath(name).stem.rpartition("_")[2]
    images = next((folder for folder in (of, f"images/{of}") if of and (root / folder).is_dir()), None)
    return {"annotations": name} if images is None else {"annotations": name, "images": images}


def _only_one(path: Path, found: list[tuple[str, str]]) -> dict[str, JsonValue]:
    """The choice of the one JSON that was found; several are refused with what to write for one of them."""
    if len(found) == 1:
        return {"use": found[0][1], "path": str(path)}
    said = ", ".join(f"{name} ({use})" for name, use in found)
    name, use = next((each for each in found if "train" in each[0]), found[0])
    where = "." if path.is_dir() else path.name
    options = {"use": use, "path": where, **_part(path, name)}
    flow = ", ".join(
        f"{key}: {value if PLAIN.fullmatch(str(value)) else json.dumps(value)}"
        for key, value in options.items()
    )
    data = path if path.is_dir() else path.parent
    raise SeemkitError(
        f"{str(path)!r} holds several data sets: {said}; take one with --data {data} -s 'data.sources=[{{{flow}}}]', "
        "or write a recipe whose data.sources name them",
        path="--data",
    )


def _look_at(jsons: Iterable[tuple[str, FileSlice | Path]]) -> _Jsons:
    result = _Jsons([], [])
    for name, source in jsons:
        try:
            data = json.loads(source.read() if isinstance(source, FileSlice) else source.read_bytes())
        except (OSError, ValueError) as error:
            result.faults.append(f"{str(source)!r} is no valid JSON: {error}; get or export it again")
            continue
        if not isinstance(data, Mapping) or not isinstance(data.get("images"), list):
            continue
        given = data.get("annotations")
        annotations = [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []
        use = _format_of(annotations)
        if use is not None:
            result.found.append((name, use))
            continue
        boxes = f"none of its {len(annotations)} annotations has a 'segmentation' (boxes alone do not do)"
        why = boxes if annotations else "it lists no annotations"
        result.faults.append(f"{str(source)!r} has no masks in it: {why}; expected polygons or run lengths")
    return result


def _format_of(annotations: Iterable[Mapping[str, object]]) -> str | None:
    """The data set that reads annotations, by what any of them has; None if there are no masks."""
    fields = {field for each in annotations for field in each if field != "segmentation" or each[field]}
    by_field = {"segments_info": "coco-panoptic", "sentences": "coco-phrases", "segmentation": "coco"}
    return next((use for field, use in by_field.items() if field in fields), None)


def _jsons(path: Path) -> Iterator[tuple[str, FileSlice | Path]]:
    if path.is_file():
        yield from ((name, member) for name, member in tar_members(path).items() if name.endswith(".json"))
        return
    for file in sorted([*path.glob("*.json"), *path.glob("annotations/*.json")]):
        yield file.relative_to(path).as_posix(), file


def _has_pair(names: Iterable[str]) -> bool:
    """Whether a photo and a mask image have the same name but for the ending, as KEY.jpg and KEY.png."""
    given = [PurePosixPath(name) for name in names]
    photos = {name.with_suffix("") for name in given if name.suffix.lower() in PHOTO}
    return any(name.suffix.lower() in MASK and name.with_suffix("") in photos for name in given)

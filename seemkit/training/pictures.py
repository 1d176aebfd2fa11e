"""Training pictures in memory: photos with object masks, read from tar shards and COCO-format tars."""

import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Instance", "Picture", "held_out", "read_coco", "read_shard"]


@dataclass(frozen=True, eq=False)
class Instance:
    """One object of a picture.

    Attributes:
        packed: its mask, bits packed along the flattened (H, W).
        name: what it is, or None if that is not known.
        key: where it comes from.
        target: (D,) unit vector in the text space that says what it looks like, or None.
    """

    packed: NDArray[np.uint8]
    name: str | None
    key: str
    target: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Picture:
    """A photo and its objects; `complete` says that every thing of the known classes is among them."""

    image: NDArray[np.uint8]
    instances: tuple[Instance, ...]
    key: str
    complete: bool = False

    def mask(self, index: int) -> NDArray[np.bool_]:
        """(H, W) bool mask of an instance."""
        height, width = self.image.shape[:2]
        bits = np.unpackbits(self.instances[index].packed, count=height * width)
        return bits.reshape(height, width).astype(bool)


@dataclass
class Faults:
    """What could not be read, by file."""

    by_file: dict[str, str] = field(default_factory=dict)


def held_out(image_id: int) -> bool:
    """Whether a COCO photo is in the fixed 15 % that no training sees (by a checksum of its number)."""
    return zlib.crc32(str(image_id).encode()) % 100 < 15


def read_shard(
    path: Path,
    name_of: Callable[[str], str | None] | None = None,
    faults: Faults | None = None,
    limit: int | None = None,
) -> Iterator[Picture]:
    """Pictures of a tar of KEY.webp and KEY.png pairs (the WebDataset convention), one object each."""
    images: dict[str, NDArray[np.uint8]] = {}
    count = 0
    with tarfile.open(path) as tar:
        for member in tar:
            key, _, suffix = member.name.rpartition(".")
            stream = tar.extractfile(member)
            if stream is None or suffix not in ("webp", "png", "jpg"):
                continue
            try:
                with Image.open(io.BytesIO(stream.read())) as picture:
                    if suffix != "png":
                        images[key] = np.asarray(picture.convert("RGB"))
                        continue
                    mask = np.asarray(picture.convert("L")) >= 128
            except OSError as error:
                if faults is not None:
                    faults.by_file[member.name] = str(error)
                continue
            image = images.pop(key, None)
            if image is None or image.shape[:2] != mask.shape or not mask.any():
                if faults is not None:
                    faults.by_file[key] = "no image of the mask's size" if mask.any() else "empty mask"
                continue
            name = name_of(key) if name_of else None
            yield Picture(image, (Instance(np.packbits(mask), name, key),), key)
            count += 1
            if count == limit:
                return


def read_coco(
    path: Path,
    annotations: str = "instances.json",
    keep: Callable[[int], bool] | None = None,
    faults: Faults | None = None,
) -> Iterator[Picture]:
    """Pictures of a tar that holds a COCO instances file and its images; crowds are left out."""
    from pycocotools import mask as coco

    with tarfile.open(path) as tar:
        stream = tar.extractfile(annotations)
        assert stream is not None
        data = json.load(stream)
        names = {c["id"]: c["name"] for c in data["categories"]}
        by_image: dict[int, list[dict[str, object]]] = {}
        for annotation in data["annotations"]:
            if not annotation.get("iscrowd"):
                by_image.setdefault(annotation["image_id"], []).append(annotation)
        for info in data["images"]:
            if keep is not None and not keep(info["id"]):
                continue
            try:
                stream = tar.extractfile(info["file_name"])
                assert stream is not None
                with Image.open(io.BytesIO(stream.read())) as picture:
                    image = np.asarray(picture.convert("RGB"))
            except (KeyError, OSError) as error:
                if faults is not None:
                    faults.by_file[info["file_name"]] = str(error)
                continue
            height, width = image.shape[:2]
            instances = []
            for annotation in by_image.get(info["id"], []):
                polygons = annotation["segmentation"]
                mask = coco.decode(coco.merge(coco.frPyObjects(polygons, height, width))).astype(bool)
                if mask.sum() < 64:
                    continue
                key = f"coco-{annotation['id']}"
                name = names[annotation["category_id"]]
                instances.append(Instance(np.packbits(mask), name, key))
            if instances:
                yield Picture(image, tuple(instances), f"coco-{info['id']}", complete=True)

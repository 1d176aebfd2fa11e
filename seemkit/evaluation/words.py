"""Words: does a class name find its object, and does a mask get its name."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seemkit.evaluation.figures import Figure
from seemkit.evaluation.metrics.masks import iou
from seemkit.evaluation.metrics.shares import share_interval
from seemkit.prompting.read import prompt_type
from seemkit.training.pictures import held_out, read_coco

if TYPE_CHECKING:
    from seemkit.pipeline.model import Model

__all__ = ["label_figures", "read_panoptic", "text_figures"]


def read_panoptic(
    path: Path, limit: int | None = None
) -> Iterator[tuple[NDArray[np.uint8], list[tuple[str, bool, NDArray[np.bool_]]]]]:
    """Photos of a tar in COCO panoptic format, each with its segments as (class name, is a thing, mask)."""
    with tarfile.open(path) as tar:
        stream = tar.extractfile("panoptic.json")
        assert stream is not None
        data = json.load(stream)
        classes = {c["id"]: (c["name"], bool(c["isthing"])) for c in data["categories"]}
        files = {i["id"]: i["file_name"] for i in data["images"]}
        for annotation in data["annotations"][:limit]:
            picture = Path(files[annotation["image_id"]]).with_suffix(".webp").name
            image = _read(tar, picture, "RGB")
            colours = _read(tar, f"panoptic/{annotation['file_name']}", "RGB").astype(np.int64)
            ids = colours @ np.array([1, 256, 65536])
            segments = [
                (*classes[s["category_id"]], ids == s["id"])
                for s in annotation["segments_info"]
                if not s.get("iscrowd")
            ]
            yield image, segments


def text_figures(model: Model, path: Path, limit: int | None = None) -> list[Figure]:
    """For thing classes that occur once in a picture: share of names whose answer has an IoU above 0.5.

    Beside it stands what always choosing the picture's largest thing would give.
    """
    text = prompt_type("text")
    hits, baseline, scores = 0, 0, []
    for image, segments in read_panoptic(path, limit):
        things = [(name, mask) for name, thing, mask in segments if thing]
        if not things:
            continue
        largest = max((mask for _, mask in things), key=lambda m: int(m.sum()))
        names = [name for name, _ in things]
        scene = model.encode(image)
        for name, mask in things:
            if names.count(name) == 1:
                found = model.segment(scene, [text(text=name)]).masks[0]  # type: ignore[call-arg]
                scores.append(iou(found, mask))
                hits += scores[-1] > 0.5
                baseline += iou(largest, mask) > 0.5
    count = len(scores)
    low, high = share_interval(hits, count)
    protocol = "class name as text, thing classes that occur once"
    largest_share = baseline / max(count, 1)
    note = (
        f"95 % interval {low:.3f} to {high:.3f}; ground-truth mask of the largest thing: {largest_share:.3f}"
    )
    split = "COCO panoptic hundred"
    return [
        Figure("text", "share IoU > 0.5", hits / max(count, 1), protocol, split, count, note=note),
        Figure("text", "mIoU", float(np.mean(scores)) if scores else 0.0, protocol, split, count),
    ]


def label_figures(model: Model, path: Path, limit: int | None = None) -> list[Figure]:
    """Top-1 over the 80 COCO names on the held-out photos: from the true mask, and from one click's mask."""
    mask_type, point = prompt_type("mask"), prompt_type("point")
    pictures = list(read_coco(path, keep=held_out))[:limit]
    names = sorted({i.name for p in read_coco(path) for i in p.instances if i.name})
    right = {"true masks": 0, "masks of one click": 0}
    count = 0
    rng = np.random.default_rng(0)
    for picture in pictures:
        scene = model.encode(picture.image)
        for index, instance in enumerate(picture.instances):
            mask = picture.mask(index)
            if mask.sum() < 400:
                continue
            count += 1
            click = point.simulate(mask, rng)
            for how, prompt in (("true masks", mask_type(mask=mask)), ("masks of one click", click)):  # type: ignore[call-arg]
                assert prompt is not None
                found = model.segment(scene, [prompt], vocabulary=names)
                right[how] += found.labels[0][0][0] == instance.name
    split = "COCO instances, held-out 15 %"
    protocol = f"top-1 over {len(names)} names, objects of at least 400 pixels"
    figures = []
    for how, hits in right.items():
        low, high = share_interval(hits, count)
        note = f"95 % interval {low:.3f} to {high:.3f}"
        figures.append(
            Figure("labels", f"top-1 on {how}", hits / max(count, 1), protocol, split, count, note=note)
        )
    return figures


def _read(tar: tarfile.TarFile, name: str, mode: str) -> NDArray[np.uint8]:
    stream = tar.extractfile(name)
    assert stream is not None
    with Image.open(io.BytesIO(stream.read())) as picture:
        return np.asarray(picture.convert(mode))

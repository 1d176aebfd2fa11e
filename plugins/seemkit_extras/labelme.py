"""The exporter `labelme`: a JSON file that the annotation tool labelme opens beside the photo."""

import base64
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from seemkit import api
from seemkit_extras.joined_outline import join_rings, parts_of

__all__ = ["Labelme"]

VERSION = "5.5.0"
"""Of the tool whose form this is; it opens files of other versions too."""


class Labelme:
    """A labelme file: polygons to be edited by hand, or masks; parts of an object share a group."""

    suffixes: ClassVar = (".json",)

    class Options(BaseModel):
        """How masks are written."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        shapes: Literal["polygon", "mask"] = Field(
            "polygon", description="polygons, a part each, or masks as labelme 5.2 and later have them"
        )
        simplify: float = Field(
            1.0, ge=0, le=100, description="of polygons: leave out corners within so many pixels; 0 is exact"
        )

    def __init__(self, options: Options) -> None:
        self.options = options

    @classmethod
    def build(cls, options: Options) -> "Labelme":
        return cls(options)

    def export(self, result: api.Result, path: Path, *, photo: str) -> Sequence[Path]:
        height, width = result.size
        make = self._polygons if self.options.shapes == "polygon" else self._masks
        whole: dict[str, object] = {
            "version": VERSION,
            "flags": {},
            "shapes": list(make(result)),
            "imagePath": photo,
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        with api.replacing(path) as file:
            file.write(f"{json.dumps(whole, ensure_ascii=False, indent=2)}\n".encode())
        return [path]

    def _polygons(self, result: api.Result) -> Iterator[dict[str, object]]:
        for n, rings in enumerate(result.to_polygons(simplify=self.options.simplify or None)):
            parts = parts_of(rings)
            for part in parts:
                corners = [list(corner) for corner in join_rings(part)]
                group = n + 1 if len(parts) > 1 else None
                yield _shape(result, n, "polygon", corners, group)

    def _masks(self, result: api.Result) -> Iterator[dict[str, object]]:
        for n, (annotation, mask) in enumerate(zip(result.to_coco(), result.masks, strict=True)):
            x, y, w, h = map(int, annotation["bbox"])
            if w == 0:
                continue
            buffer = io.BytesIO()
            Image.fromarray(mask[y : y + h, x : x + w].astype(np.uint8)).save(buffer, "PNG")
            corners: list[list[float]] = [[x, y], [x + w - 1, y + h - 1]]  # both pixels are in it
            packed = base64.b64encode(buffer.getvalue()).decode("ascii")
            yield _shape(result, n, "mask", corners, None, packed)


def _shape(
    result: api.Result,
    n: int,
    kind: str,
    points: list[list[float]],
    group: int | None,
    mask: str | None = None,
) -> dict[str, object]:
    name = result.names[n]
    return {
        "label": name if name is not None else result.objects[n],
        "points": points,
        "group_id": group,
        "description": f"object {result.objects[n]}, score {result.scores[n]:.3f}",
        "shape_type": kind,
        "flags": {},
        "mask": mask,
    }

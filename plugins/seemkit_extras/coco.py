"""The exporter `coco`: a COCO instances file of one photo, as pycocotools reads it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from seemkit import api

__all__ = ["Coco"]

UNNAMED = 0
"""The category of masks without a label."""


class Coco:
    """A COCO instances file: the photo, categories counted from 1, and a mask an annotation."""

    suffixes: ClassVar = (".json",)

    class Options(BaseModel):
        """How masks are written."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        polygons: bool = Field(False, description="polygons, which fill holes, in place of run lengths")
        simplify: float = Field(
            0.0, ge=0, le=100, description="of polygons: leave out corners within so many pixels"
        )
        image_id: int = Field(1, ge=0, description="number of the photo")

    def __init__(self, options: Options) -> None:
        self.options = options

    @classmethod
    def build(cls, options: Options) -> "Coco":
        return cls(options)

    def export(self, result: api.Result, path: Path, *, photo: str) -> Sequence[Path]:
        height, width = result.size
        annotations: list[dict[str, object]] = [dict(a) for a in result.to_coco(self.options.image_id)]
        if self.options.polygons:
            rings = result.to_polygons(holes=False, simplify=self.options.simplify or None)
            for annotation, own in zip(annotations, rings, strict=True):
                annotation["segmentation"] = [[c for corner in ring for c in corner] for ring in own]
        names = dict(enumerate(result.vocabulary, start=1))
        if any(annotation["category_id"] == UNNAMED for annotation in annotations):
            names = {UNNAMED: "object", **names}
        whole = {
            "info": {"description": "masks by seemkit", "version": "1.0"},
            "licenses": [],
            "images": [{"id": self.options.image_id, "file_name": photo, "width": width, "height": height}],
            "categories": [{"id": n, "name": name, "supercategory": ""} for n, name in names.items()],
            "annotations": annotations,
        }
        with api.replacing(path) as file:
            file.write(f"{json.dumps(whole, allow_nan=False, ensure_ascii=False)}\n".encode())
        return [path]

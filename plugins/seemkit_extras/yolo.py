"""The exporter `yolo`: the text file of a photo in YOLO's segmentation format, and the names of its classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from seemkit import api
from seemkit_extras.joined_outline import join_rings

__all__ = ["Yolo"]

CLASSES = "classes.txt"
UNNAMED = "object"
"""The class of masks without a label, after those of the vocabulary."""


class Yolo:
    """YOLO segmentation: a line a mask, its class and a polygon in parts of width and height.

    The format has one polygon a mask: holes and parts are joined by bridges without width.
    """

    suffixes: ClassVar = (".txt",)

    class Options(BaseModel):
        """How masks are written."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        simplify: float = Field(
            1.0, ge=0, le=100, description="leave out corners within so many pixels; 0 is exact"
        )
        classes: bool = Field(True, description="write classes.txt beside the file: names, from class 0 on")

    def __init__(self, options: Options) -> None:
        self.options = options

    @classmethod
    def build(cls, options: Options) -> "Yolo":
        return cls(options)

    def export(self, result: api.Result, path: Path, *, photo: str) -> Sequence[Path]:
        del photo  # files go by the name of the photo's
        beside = path.with_name(CLASSES)
        if self.options.classes and beside == path:
            raise api.SeemkitError(f"{str(path)!r} is where the names go; name the file after the photo")
        height, width = result.size
        places = {name: place for place, name in enumerate(result.vocabulary)}
        lines = []
        for n, rings in enumerate(result.to_polygons(simplify=self.options.simplify or None)):
            if rings:
                place = places.get(result.names[n] or "", len(places))
                corners = (f"{x / width:.6f} {y / height:.6f}" for x, y in join_rings(rings))
                lines.append(f"{place} {' '.join(corners)}\n")
        with api.replacing(path) as file:
            file.write("".join(lines).encode())
        if not self.options.classes:
            return [path]
        names = [" ".join(name.split()) for name in (*result.vocabulary, UNNAMED)]  # a line each
        with api.replacing(beside) as file:
            file.write("".join(f"{name}\n" for name in names).encode())
        return [path, beside]

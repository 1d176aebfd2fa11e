"""The exporter `overlay`: the photo with the masks drawn on it."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from seemkit import api

__all__ = ["Overlay"]

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}


class Overlay:
    """The photo with its masks, tinted and outlined, as `-o photo.png` draws it; here with options."""

    suffixes: ClassVar = tuple(FORMATS)

    class Options(BaseModel):
        """How it is drawn."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        alpha: float = Field(0.5, ge=0, le=1, description="how strongly areas are tinted")
        labels: bool = Field(True, description="name the masks")
        outline: bool = Field(True, description="draw their outlines")
        quality: int = Field(92, ge=1, le=100, description="of JPEG and WebP")

    def __init__(self, options: Options) -> None:
        self.options = options

    @classmethod
    def build(cls, options: Options) -> "Overlay":
        return cls(options)

    def export(self, result: api.Result, path: Path, *, photo: str) -> Sequence[Path]:
        del photo
        chosen = self.options
        picture = result.overlay(labels=chosen.labels, outline=chosen.outline, alpha=chosen.alpha)
        with api.replacing(path) as file:
            picture.save(file, FORMATS[path.suffix.lower()], quality=chosen.quality)
        return [path]

"""The exporter `indexed`: a PNG whose pixels are numbers of masks, objects, classes or segments."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import BaseModel, ConfigDict, Field

from seemkit import api

__all__ = ["Indexed"]

LEGEND = "seemkit"
"""The text of the PNG that says in JSON what each number is."""


class Indexed:
    """A PNG of numbers from 1, 0 where there is nothing; up to 255 with the colours of PASCAL VOC and DAVIS.

    More than 255 make it grey with 16 bits. Where masks overlap, the one with the higher score is on top. What
    each number is stands in the PNG's text `seemkit`, as JSON.
    """

    suffixes: ClassVar = (".png",)

    class Options(BaseModel):
        """What is numbered."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        number: Literal["auto", "mask", "object", "class"] = Field(
            "auto",
            description="masks in their order, objects in theirs, or places in the vocabulary from 1; auto: what "
            "the task gives, and otherwise masks",
        )

    def __init__(self, options: Options) -> None:
        self.options = options

    @classmethod
    def build(cls, options: Options) -> "Indexed":
        return cls(options)

    def export(self, result: api.Result, path: Path, *, photo: str) -> Sequence[Path]:
        numbers, legend = self._numbers(result)
        about = PngInfo()
        about.add_itxt(LEGEND, json.dumps({"photo": photo, "numbers": legend}, ensure_ascii=False))
        with api.replacing(path) as file:
            _picture(numbers).save(file, "PNG", pnginfo=about)
        return [path]

    def _numbers(self, result: api.Result) -> tuple[NDArray[np.int64], dict[int, str]]:
        number = self.options.number
        if number == "auto" and result.segments is not None:
            ids, info = result.segments
            return ids.astype(np.int64), {part["id"]: part["label"] for part in info}
        if number in ("auto", "class") and result.semantic is not None:
            legend = dict(enumerate(result.vocabulary, start=1))
            return np.maximum(result.semantic.astype(np.int64) + 1, 0), legend
        each, legend = _by(result, number)
        numbers = np.zeros(result.size, np.int64)
        for n in np.argsort(result.scores, kind="stable"):
            numbers[result.masks[n]] = each[n]
        return numbers, legend


def _by(result: api.Result, number: str) -> tuple[list[int], dict[int, str]]:
    """The number of each mask, and what the numbers are."""
    if number == "object":
        places = {name: place for place, name in enumerate(dict.fromkeys(result.objects), start=1)}
        return [places[name] for name in result.objects], {n: name for name, n in places.items()}
    if number == "class":
        places = {name: place for place, name in enumerate(result.vocabulary, start=1)}
        if None in result.names:
            which = result.objects[result.names.index(None)]
            raise api.SeemkitError(
                f"the mask of object {which!r} has no label, so it has no class; give a vocabulary"
            )
        return [places[str(name)] for name in result.names], {n: name for name, n in places.items()}
    named = zip(result.objects, result.names, strict=True)
    return list(range(1, len(result) + 1)), {n: name or own for n, (own, name) in enumerate(named, start=1)}


def _picture(numbers: NDArray[np.int64]) -> Image.Image:
    most = int(numbers.max(initial=0))
    if most > 65535:
        raise api.SeemkitError(f"there are numbers up to {most}; a PNG holds 65,535")
    if most > 255:
        return Image.fromarray(numbers.astype(np.uint16))
    image = Image.fromarray(numbers.astype(np.uint8)).convert("L")
    image.putpalette([channel for n in range(256) for channel in _colour(n)])
    return image


def _colour(number: int) -> tuple[int, int, int]:
    """The colour of a number in the PASCAL VOC development kit (VOClabelcolormap): its bits, dealt out in turn."""
    channels = [0, 0, 0]
    for place in range(8):
        for k in range(3):
            channels[k] |= (number >> k & 1) << (7 - place)
        number >>= 3
    return channels[0], channels[1], channels[2]

"""What the numbers of a mask image mean, for data sets whose masks are images."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from seemkit import api

__all__ = ["MaskMeaning", "read_sample"]


class MaskMeaning(BaseModel):
    """Options that `folder` and `tar-pairs` share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="where it is")
    name: str = Field("", description="what reports call it; by default the name of the file or folder")
    license: str = Field("", description="terms of images and masks")
    masks: Literal["object", "ids", "classes"] = Field(
        "object",
        description="one object, an object for each number but 0, or the place in `names` at each pixel",
    )
    object_above: int = Field(192, ge=0, le=254, description="of one object: levels above belong to it")
    ignore_above: int = Field(
        64, ge=0, le=254, description="of one object: levels above, up to `object_above`, count neither way"
    )
    ignore_id: int | None = Field(None, ge=0, description="of ids and classes: pixels that count neither way")
    category: str | None = Field(None, description="of one object and ids: what all of them are")
    names: tuple[str, ...] = Field((), description="of classes: name of each number, from 0 on")
    stuff: tuple[str, ...] = Field((), description="names that cannot be counted")
    video: bool = Field(False, description="the pictures are the frames of a video, in order of their names")

    @model_validator(mode="after")
    def check_names(self) -> Self:
        """Refuse what contradicts itself."""
        if self.ignore_above > self.object_above:
            raise ValueError("'ignore_above' is over 'object_above'")
        if self.masks == "classes" and not self.names:
            raise ValueError("'masks: classes' needs 'names', one for each number from 0 on")
        known = self.names or tuple(filter(None, (self.category,)))
        for name in self.stuff:
            if name not in known:
                raise ValueError(f"'stuff' holds {name!r}, which is none of the names")
        return self

    def info(self, fallback: str) -> api.DatasetInfo:
        """What is known beforehand; `fallback` is the name if none was given."""
        by_class = self.masks == "classes"
        names = self.names if by_class else tuple(filter(None, (self.category,)))
        categories = tuple(
            api.Category(name, name not in self.stuff, place if by_class else None)
            for place, name in enumerate(names)
        )
        return api.DatasetInfo(self.name or fallback, categories, self.license, by_class, by_class)


def read_sample(
    options: MaskMeaning,
    key: str,
    image: str | api.FileSlice,
    mask: str | api.FileSlice,
    sequence: str,
    reject: Callable[[str, str], None],
) -> api.Sample:
    """The sample of an image and its mask image; the mask is read, the image is not.

    Args:
        options: what the numbers of the mask mean.
        key: of the sample.
        image: where the image is.
        mask: where the mask image is.
        sequence: the video that it would be a frame of.
        reject: is told the key and what is wrong if the mask marks nothing; in a video objects come and go.

    Raises:
        SeemkitError: the mask cannot be read, or holds a number that means nothing.
    """
    numbers = (
        api.read_labels(mask.read(), name=str(mask))
        if isinstance(mask, api.FileSlice)
        else api.read_labels(mask)
    )
    by_class = options.masks == "classes"
    objects, ignore = _of_levels(numbers, options) if options.masks == "object" else _of_ids(numbers, options)
    if not objects and not options.video:
        reject(key, _say_empty(numbers, options))
    return api.Sample(
        key,
        image,
        tuple(objects),
        ignore if ignore is not None and ignore.any() else None,
        (numbers.shape[0], numbers.shape[1]),
        panoptic=by_class,
        complete=by_class,
        sequence=sequence if options.video else "",
    )


def _say_empty(numbers: NDArray[np.int32], options: MaskMeaning) -> str:
    """What a mask without an object holds, and what was expected."""
    values = np.unique(numbers)
    found = ", ".join(map(str, values)) if len(values) <= 5 else f"from {values[0]} to {values[-1]}"
    if options.masks == "object":
        way = "; are these ids? (masks: ids)" if 0 < values[-1] <= options.ignore_above else ""
        return f"the mask holds no object: its levels are {found}, expected some above {options.object_above}{way}"
    ignored = "" if options.ignore_id is None else f"; {options.ignore_id} is ignored"
    return f"the mask holds no object: its numbers are {found}{ignored}"


def _of_levels(
    numbers: NDArray[np.int32], options: MaskMeaning
) -> tuple[list[api.SampleObject], NDArray[np.bool_] | None]:
    """One object; a mask of 0 and 1 is taken for one of 0 and 255."""
    if numbers.max() > 255:
        raise api.SeemkitError(
            f"the mask holds {numbers.max()}, expected levels from 0 to 255; are these ids? (masks: ids)"
        )
    levels = numbers * 255 if numbers.max() == 1 else numbers
    mask = levels > options.object_above
    ignore = (levels > options.ignore_above) & ~mask
    is_thing = options.category not in options.stuff
    return [api.SampleObject(mask, options.category, is_thing)] if mask.any() else [], ignore


def _of_ids(
    numbers: NDArray[np.int32], options: MaskMeaning
) -> tuple[list[api.SampleObject], NDArray[np.bool_] | None]:
    """An object for each number, in their order."""
    ignore = None if options.ignore_id is None else np.asarray(numbers == options.ignore_id)
    by_class = options.masks == "classes"
    objects = []
    for number in map(int, np.unique(numbers)):
        if number == options.ignore_id or (number == 0 and not by_class):
            continue
        if by_class and number >= len(options.names):
            raise api.SeemkitError(
                f"the mask holds {number}, but 'names' has {len(options.names)}, from 0 to {len(options.names) - 1}"
            )
        name = options.names[number] if by_class else options.category
        mask = api.IdMask(numbers, number)
        objects.append(api.SampleObject(mask, name, name not in options.stuff, key=str(number)))
    return objects, ignore

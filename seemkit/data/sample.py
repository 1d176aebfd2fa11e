"""One picture of a data set with the objects that are marked in it; nothing is decoded until it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from seemkit.data.file_slice import FileSlice
from seemkit.data.mask_source import MaskSource, read_mask
from seemkit.errors import ImageError, SeemkitError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from seemkit.imaging.load import ImageSource

    PictureSource: TypeAlias = ImageSource | FileSlice

__all__ = ["Category", "Sample", "SampleObject"]


@dataclass(frozen=True)
class Category:
    """A class of a data set.

    Attributes:
        name: what it is called.
        is_thing: whether its objects can be counted.
        id: the data set's own number for it, for figures in the format of the data set.
        synonyms: other names of it.
        group: what figures are split by, such as LVIS's "rare", "common" and "frequent"; may be empty.
    """

    name: str
    is_thing: bool = True
    id: int | None = None
    synonyms: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, eq=False)
class SampleObject:
    """What is marked in a picture: an object, a crowd of them, or an area of stuff.

    Attributes:
        mask: (H, W) bool, or what gives it when called.
        name: its category; None if that is not known.
        is_thing: False for stuff.
        is_crowd: it marks several objects at once; neither found nor missed by figures, no target of training.
        phrases: texts that refer to it, and to nothing else in the picture.
        box: (x1, y1, x2, y2) as annotated, in pixels; None if it was not.
        area: as annotated, in pixels; None if it was not.
        key: the data set's own name of it; may be empty.
    """

    mask: MaskSource
    name: str | None = None
    is_thing: bool = True
    is_crowd: bool = False
    phrases: tuple[str, ...] = ()
    box: tuple[float, float, float, float] | None = None
    area: float | None = None
    key: str = ""

    def read_mask(self) -> NDArray[np.bool_]:
        """(H, W) bool; decoded anew at each call."""
        return read_mask(self.mask)


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture and what is marked in it. A plain value: it pickles.

    Attributes:
        key: names the picture within its data set, always the same.
        image: a path, the bytes of a file, a slice of a file, a uint8 array (H, W, 3), or a PIL image.
        objects: what is marked.
        ignore: (H, W) bool, or what gives it: pixels that count neither way; None if all count.
        size: (H, W) of the picture, where it is known without decoding it.
        panoptic: the objects do not overlap, and stuff is among them.
        complete: whatever of the data set's categories is in the picture is marked.
        absent: names that are known not to be in the picture, where `complete` is False (LVIS).
        partial: names of which some objects may not be marked (LVIS).
        sequence: the video that it is a frame of; empty for a photo.
        about: what else the data set says of the picture, such as its licence or address.
    """

    key: str
    image: PictureSource
    objects: tuple[SampleObject, ...] = ()
    ignore: MaskSource | None = None
    size: tuple[int, int] | None = None
    panoptic: bool = False
    complete: bool = False
    absent: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    sequence: str = ""
    about: Mapping[str, str | int | float] = field(default_factory=dict)

    def read_image(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, turned as its EXIF orientation says; decoded anew at each call.

        Raises:
            ImageError: it is missing, damaged or too large; the sentence names the sample.
        """
        from seemkit.imaging.load import load_image

        try:
            return load_image(self.image.read() if isinstance(self.image, FileSlice) else self.image)
        except SeemkitError as error:
            raise ImageError(f"sample {self.key!r}: {error}", path=self.key) from error

    def read_ignore(self) -> NDArray[np.bool_] | None:
        """(H, W) bool, pixels that count neither way; None if all count."""
        return None if self.ignore is None else read_mask(self.ignore)

    def loaded(self) -> Sample:
        """The same sample with its image and masks as arrays of one size.

        Raises:
            SeemkitError: something of it cannot be decoded, or a mask is of another size than the picture.
        """
        image = self.read_image()
        size = (image.shape[0], image.shape[1])
        objects = tuple(
            replace(each, mask=self._sized(each.mask, size, f"object {each.key or place}"))
            for place, each in enumerate(self.objects)
        )
        ignore = None if self.ignore is None else self._sized(self.ignore, size, "what is ignored")
        return replace(self, image=image, objects=objects, ignore=ignore, size=size)

    def _sized(self, source: MaskSource, size: tuple[int, int], name: str) -> NDArray[np.bool_]:
        try:
            mask = read_mask(source)
        except ValueError as error:
            raise SeemkitError(f"sample {self.key!r}: the mask of {name}: {error}", path=self.key) from error
        if mask.shape != size:
            rows, columns = mask.shape
            raise SeemkitError(
                f"sample {self.key!r}: the mask of {name} is {columns} x {rows}, the picture "
                f"{size[1]} x {size[0]}",
                path=self.key,
            )
        return mask

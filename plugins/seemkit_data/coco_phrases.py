"""The data set `coco-phrases`: objects that sentences refer to, as RefCOCO, RefCOCO+ and RefCOCOg are converted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from seemkit import api
from seemkit_data.coco_files import CocoOptions, Fits, Record
from seemkit_data.coco_index import CocoIndex
from seemkit_data.coco_masks import box_of, read_segmentation

__all__ = ["CocoPhrases"]


class CocoPhrases(CocoIndex):
    """COCO annotations with `sentences[].raw`; categories may be missing, pictures are not completely marked."""

    Options: ClassVar[type[CocoOptions]] = CocoOptions
    fits: ClassVar[Fits] = Fits("sentences")
    wanted: ClassVar[str] = "JSON of COCO annotations with sentences"

    def promises(self) -> tuple[bool, bool]:
        return False, False

    def sample(
        self, key: str, image: str | api.FileSlice, size: tuple[int, int], annotations: Sequence[Record]
    ) -> api.Sample:
        objects: list[api.SampleObject] = []
        for record in annotations:
            try:
                objects.append(self._object(record, size))
            except api.SeemkitError as error:
                self.refuse(key, record, error)
        return api.Sample(key, image, tuple(_distinct(objects)), size=size)

    def _object(self, record: Record, size: tuple[int, int]) -> api.SampleObject:
        sentences = record.get("sentences")
        given = [each.get("raw") for each in sentences or () if isinstance(each, dict)]
        phrases = [text.strip().lower() for text in given if isinstance(text, str) and text.strip()]
        if not phrases:
            raise api.SeemkitError("it has no sentence, expected sentences[0].raw")
        category = self.category(record) if "category_id" in record and self.categories else None
        return api.SampleObject(
            read_segmentation(record.get("segmentation"), size),
            category.name if category else None,
            phrases=tuple(dict.fromkeys(phrases)),
            box=box_of(record.get("bbox")),
            key=f"coco-{record.get('id')}",
        )


def _distinct(objects: Sequence[api.SampleObject]) -> list[api.SampleObject]:
    """The objects without phrases that another object of the picture has too."""
    owners: dict[str, int] = {}
    for each in objects:
        for phrase in each.phrases:
            owners[phrase] = owners.get(phrase, 0) + 1
    return [
        replace(each, phrases=tuple(phrase for phrase in each.phrases if owners[phrase] == 1))
        for each in objects
    ]

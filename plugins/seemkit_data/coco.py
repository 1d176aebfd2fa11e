"""The data set `coco`: instances in COCO's format, of COCO, LVIS or any tool that exports it."""

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from seemkit import api
from seemkit_data.coco_files import CocoOptions, Fits, Record
from seemkit_data.coco_index import CocoIndex
from seemkit_data.coco_masks import box_of, read_segmentation

__all__ = ["Coco"]


class Coco(CocoIndex):
    """COCO instances: polygons or run lengths with categories; a folder or a tar."""

    Options: ClassVar[type[CocoOptions]] = CocoOptions
    fits: ClassVar[Fits] = Fits("segmentation", lacks=("sentences", "segments_info"))
    wanted: ClassVar[str] = "JSON of COCO instances"

    def __init__(self, options: CocoOptions) -> None:
        super().__init__(options)
        numbers = (each.get("id") for each in self.files.data["annotations"] if isinstance(each, dict))
        for number, times in Counter(n for n in numbers if isinstance(n, int | str)).items():
            if times > 1:
                said = (
                    f"several annotations of {self.files.json} have the id {number!r}, expected one of each"
                )
                self.reject(f"{self.files.json}#{number}", said)

    def promises(self) -> tuple[bool, bool]:
        return False, True

    def sample(
        self, key: str, image: str | api.FileSlice, size: tuple[int, int], annotations: Sequence[Record]
    ) -> api.Sample:
        objects, whole = [], True
        for record in annotations:
            try:
                objects.append(self.read_object(record, size))
            except api.SeemkitError as error:
                self.refuse(key, record, error)
                whole = False
        return api.Sample(key, image, tuple(objects), size=size, complete=whole and self.promises()[1])

    def read_object(self, record: Record, size: tuple[int, int]) -> api.SampleObject:
        """The object of an annotation.

        Raises:
            SeemkitError: its category or its segmentation is wrong.
        """
        category = self.category(record)
        area = record.get("area")
        return api.SampleObject(
            read_segmentation(record.get("segmentation"), size),
            category.name,
            category.is_thing,
            bool(record.get("iscrowd")),
            box=box_of(record.get("bbox")),
            area=float(area) if isinstance(area, int | float) else None,
            key=f"coco-{record.get('id')}",
        )

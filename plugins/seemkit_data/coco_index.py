"""The base of data sets in a COCO format: annotations by image, categories by number, and what is wrong with them."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from seemkit import api
from seemkit_data.coco_files import CocoFiles, CocoOptions, Fits, Record

__all__ = ["CocoIndex"]


class CocoIndex(api.IndexedDataset):
    """Images with annotations; an annotation that is broken is reported and left out, its picture is kept.

    A key is the file name of an image. What the JSON itself has wrong, an annotation of an image that is not listed
    for one, is found when it is opened; what is wrong with an object, when its picture is read.
    """

    fits: ClassVar[Fits]
    wanted: ClassVar[str]

    def __init__(self, options: CocoOptions) -> None:
        super().__init__(options)
        self.files = CocoFiles(options, self.fits, self.wanted)
        data = self.files.data
        self.categories: dict[int, api.Category] = {}
        for record in data.get("categories") or ():
            if isinstance(record, dict) and isinstance(record.get("name"), str) and "id" in record:
                is_thing = bool(record.get("isthing", 1))
                self.categories[record["id"]] = api.Category(record["name"], is_thing, record["id"])
        self._images: dict[str, Record] = {}
        by_id: dict[Any, str] = {}
        for record in data["images"]:
            name = record.get("file_name") if isinstance(record, dict) else None
            if isinstance(name, str) and "id" in record:
                self._images[name] = record
                by_id[record["id"]] = name
        self._annotations: dict[str, list[Record]] = {name: [] for name in self._images}
        for record in data["annotations"]:
            number = record.get("image_id") if isinstance(record, dict) else None
            if number not in by_id:
                said = f"an annotation of {self.files.json} is of the image {number!r}, which is not listed"
                self.reject(f"{self.files.json}#{_number(record)}", said)
                continue
            self._annotations[by_id[number]].append(record)
        if not self._images:
            raise api.SeemkitError(f"{self.files.json!r} lists no image", path="annotations")
        self._info = api.DatasetInfo(
            options.name or f"{options.path.stem}/{self.files.json}",
            tuple(self.categories.values()),
            options.license,
            *self.promises(),
        )

    @property
    def info(self) -> api.DatasetInfo:
        return self._info

    def all_keys(self) -> Sequence[str]:
        complete = self.promises()[1]  # then a picture without an annotation says that there is nothing
        return tuple(name for name in self._images if complete or self._annotations[name])

    def read(self, key: str) -> api.Sample:
        record = self._images[key]
        image = self.files.image(key)
        if image is None:
            raise api.SeemkitError(f"the image {key!r} is not in {str(self.files.path)!r}", path=key)
        size = (record.get("height"), record.get("width"))
        if not all(isinstance(side, int) and side > 0 for side in size):
            raise api.SeemkitError(f"the image {key!r} has the size {size} in the JSON", path=key)
        return self.sample(key, image, (int(record["height"]), int(record["width"])), self._annotations[key])

    @abstractmethod
    def promises(self) -> tuple[bool, bool]:
        """Whether samples are panoptic, and whether they are complete."""

    @abstractmethod
    def sample(
        self, key: str, image: str | api.FileSlice, size: tuple[int, int], annotations: Sequence[Record]
    ) -> api.Sample:
        """The sample of an image of (H, W) pixels and its annotations."""

    def category(self, record: Record) -> api.Category:
        """The category of an annotation.

        Raises:
            SeemkitError: the JSON does not list it.
        """
        found = self.categories.get(record.get("category_id"))  # type: ignore[arg-type]
        if found is None:
            raise api.SeemkitError(f"its category {record.get('category_id')!r} is not listed")
        return found

    def refuse(self, key: str, record: Record, error: Exception) -> None:
        """Report an annotation that is left out."""
        self.reject(f"{key}#{_number(record)}", f"{key}, annotation {_number(record)}: {error}")


def _number(record: Any) -> str:
    return str(record.get("id", "?")) if isinstance(record, dict) else "?"

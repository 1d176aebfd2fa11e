"""The data set `coco-panoptic`: COCO's panoptic segments, if asked refined by the masks of LVIS."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seemkit import api
from seemkit_data.coco_files import CocoOptions, Fits, Record
from seemkit_data.coco_index import CocoIndex
from seemkit_data.lvis_refinement import LvisRefinement

__all__ = ["CocoPanoptic", "SegmentMap", "SegmentMask"]

SHOWN = 5
"""Ids that a sentence names."""


class SegmentMap:
    """The map of ids of a picture, R + 256 G + 65536 B, read when it is first wanted; it pickles unread."""

    def __init__(self, source: str | api.FileSlice) -> None:
        self.source = source
        self._map: NDArray[np.int32] | None = None

    def __getstate__(self) -> tuple[str | api.FileSlice]:
        return (self.source,)

    def __setstate__(self, state: tuple[str | api.FileSlice]) -> None:
        self.source, self._map = state[0], None

    def read(self) -> NDArray[np.int32]:
        """(H, W)."""
        if self._map is None:
            source = self.source
            given = source.read() if isinstance(source, api.FileSlice) else source
            self._map = api.read_labels(given, packed=True, name=str(source))
        return self._map


class SegmentMask:
    """The pixels of a segment."""

    def __init__(self, map_: SegmentMap, number: int) -> None:
        self.map = map_
        self.number = number

    def __call__(self) -> NDArray[np.bool_]:
        """(H, W) bool."""
        return np.asarray(self.map.read() == self.number)


class CocoPanoptic(CocoIndex):
    """COCO panoptic: a JSON, and PNG files of ids in the folder that is named as the JSON."""

    class Options(CocoOptions):
        """Where it is, and what refines it."""

        segments: str = Field(
            "", description="folder of the PNG files, below `path`; by default that of the JSON's name"
        )
        lvis: str = Field(
            "",
            description="JSON of LVIS annotations, below `path`: masks of segments whose box fits are replaced",
        )
        iou: float = Field(0.7, ge=0, le=1, description="how well the boxes have to fit (above)")

    fits: ClassVar[Fits] = Fits("segments_info")
    wanted: ClassVar[str] = "JSON of COCO panoptic segments"

    def __init__(self, options: Options) -> None:
        self._lvis = bool(options.lvis)
        super().__init__(options)
        self._last: tuple[str, SegmentMap] | None = None
        stem = self.files.json.removesuffix(".json")
        self._folders = (
            (options.segments.strip("/"),) if options.segments else (stem, stem.rpartition("/")[2], "")
        )
        self._refinement = (
            LvisRefinement(self.files.read_json(options.lvis), options.iou) if options.lvis else None
        )

    def promises(self) -> tuple[bool, bool]:
        return not self._lvis, True

    def sample(
        self, key: str, image: str | api.FileSlice, size: tuple[int, int], annotations: Sequence[Record]
    ) -> api.Sample:
        if not annotations:
            raise api.SeemkitError(f"the image {key!r} has no segments in {self.files.json!r}", path=key)
        record = annotations[0]
        segments, map_ = _segments(record), self._open_map(key, record)
        self._last = key, map_
        objects, whole = [], True
        for each in segments:
            try:
                objects.append(self._object(key, each, map_, size, record.get("image_id")))
            except api.SeemkitError as error:
                self.refuse(key, each, error)
                whole = False
        return api.Sample(
            key, image, tuple(objects), size=size, panoptic=whole and not self._lvis, complete=whole
        )

    def inspect(self, sample: api.Sample) -> None:
        """Enter ids of the PNG that no segment lists, too."""
        super().inspect(sample)
        record = self._annotations[sample.key][0]
        key, map_ = self._last or ("", None)  # that of the sample read last is decoded already
        ids = (map_ if map_ is not None and key == sample.key else self._open_map(sample.key, record)).read()
        listed = [number for each in _segments(record) if isinstance(number := each.get("id"), int)]
        unknown = np.unique(ids[~np.isin(ids, [0, *listed])])
        if len(unknown):
            some = ", ".join(map(str, unknown[:SHOWN])) + ", ..." * (len(unknown) > SHOWN)
            said = f"the segments of {sample.key!r} hold ids that its segments_info do not list: {some}"
            self.reject(f"{sample.key}#unlisted", said)

    def _open_map(self, key: str, record: Record) -> SegmentMap:
        """The map of an annotation, unread.

        Raises:
            SeemkitError: there is no such file.
        """
        name = str(record.get("file_name"))
        source = self.files.find(*((folder, name) for folder in self._folders))
        if source is None:
            raise api.SeemkitError(
                f"the segments {name!r} of {key!r} are not in {str(self.files.path)!r}", path=key
            )
        return SegmentMap(source)

    def _object(
        self, key: str, record: Record, map_: SegmentMap, size: tuple[int, int], image: object
    ) -> api.SampleObject:
        category = self.category(record)
        if not isinstance(record.get("id"), int):
            raise api.SeemkitError(f"its id is {record.get('id')!r}, expected a whole number")
        mask: api.MaskSource = SegmentMask(map_, record["id"])
        is_crowd = bool(record.get("iscrowd"))
        if self._refinement is not None and not is_crowd:
            try:
                mask = self._refinement.refine(mask, image, record.get("bbox"), size)
            except api.SeemkitError as error:
                self.refuse(key, record, error)
        area = record.get("area")
        return api.SampleObject(
            mask,
            category.name,
            category.is_thing,
            is_crowd,
            area=float(area) if isinstance(area, int | float) else None,
            key=f"panoptic-{image}-{record['id']}",
        )


def _segments(record: Record) -> list[Record]:
    return [each for each in record.get("segments_info") or () if isinstance(each, dict)]

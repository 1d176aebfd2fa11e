"""The data set `segment-anything`: images that each have a JSON of masks without names, as SA-1B is published."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from seemkit import api
from seemkit_data.coco_masks import box_of, read_segmentation

__all__ = ["SegmentAnything"]

IMAGES = ("jpg", "jpeg", "png", "webp")


class SegmentAnything(api.IndexedDataset):
    """KEY.jpg and KEY.json side by side, in a folder or in uncompressed tars (Kirillov et al., ICCV 2023).

    Masks may lie one in another: a whole, its parts, and parts of these. Nothing is named, and a picture is not
    complete.
    """

    class Options(BaseModel):
        """Where it is, and which of its masks are taken."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        path: Path = Field(description="a folder, an uncompressed tar, or a folder of such tars")
        least_iou: float = Field(0.0, ge=0, le=1, description="leave out masks of a smaller `predicted_iou`")
        least_stability: float = Field(
            0.0, ge=0, le=1, description="leave out masks of a smaller `stability_score`"
        )
        name: str = Field("", description="what reports call it; by default the name of the file or folder")
        license: str = Field("", description="terms of images and masks")

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._settings = options
        files = _files(options.path, self.reject)
        self._images: dict[str, str | api.FileSlice] = {}
        self._masks: dict[str, str | api.FileSlice] = {}
        for name, file in files.items():
            key, _, suffix = name.rpartition(".")
            if suffix.lower() in IMAGES:
                self._images[key] = file
            elif suffix.lower() == "json":
                self._masks[key] = file
        if not self._images:
            raise api.SeemkitError(
                f"{str(options.path)!r} has no images with a JSON of masks beside each", path="path"
            )
        self._info = api.DatasetInfo(
            options.name or options.path.resolve().stem,
            license=options.license,
            source="the format of SA-1B: Kirillov et al., ICCV 2023",
        )

    @property
    def info(self) -> api.DatasetInfo:
        return self._info

    def all_keys(self) -> Sequence[str]:
        return tuple(sorted({*self._images, *self._masks}))

    def read(self, key: str) -> api.Sample:
        image, file = self._images.get(key), self._masks.get(key)
        if image is None or file is None:
            raise api.SeemkitError(f"{key!r} has no {'image' if image is None else 'JSON'}", path=key)
        try:
            data = json.loads(file.read() if isinstance(file, api.FileSlice) else Path(file).read_bytes())
        except (OSError, ValueError) as error:
            raise api.SeemkitError(f"'{file}' is not JSON that can be read: {error}", path=key) from error
        about, records = (
            data.get(part) if isinstance(data, dict) else None for part in ("image", "annotations")
        )
        if not isinstance(about, dict) or not isinstance(records, list):
            raise api.SeemkitError(f"'{file}' has no 'image' and 'annotations'", path=key)
        size = (about.get("height"), about.get("width"))
        if not all(isinstance(side, int) and side > 0 for side in size):
            raise api.SeemkitError(f"'{file}' says that its image has the size {size}", path=key)
        objects = []
        for place, record in enumerate(records):
            try:
                found = self._object(key, place, record, (int(about["height"]), int(about["width"])))
            except api.SeemkitError as error:
                self.reject(f"{key}#{place}", f"{key}, annotation {place}: {error}")
                continue
            if found is not None:
                objects.append(found)
        return api.Sample(key, image, tuple(objects), size=size)  # type: ignore[arg-type]

    def _object(self, key: str, place: int, record: object, size: tuple[int, int]) -> api.SampleObject | None:
        """The object of an annotation; None if it is not good enough."""
        if not isinstance(record, dict):
            raise api.SeemkitError(f"it is {record!r}, expected a mapping")
        least = {
            "predicted_iou": self._settings.least_iou,
            "stability_score": self._settings.least_stability,
        }
        for score, wanted in least.items():
            given = record.get(score, 1.0)
            if not isinstance(given, int | float):
                raise api.SeemkitError(f"its {score} is {given!r}, expected a number")
            if given < wanted:
                return None
        return api.SampleObject(
            read_segmentation(record.get("segmentation"), size),
            box=box_of(record.get("bbox")),
            key=f"{key}-{record.get('id', place)}",
        )


def _files(path: Path, reject: Callable[[str, str], None]) -> dict[str, str | api.FileSlice]:
    """Files by name below a folder, or within tars; the names of several tars stand before those of their members."""
    if path.is_file():
        return dict(api.tar_members(path, reject))
    if not path.is_dir():
        raise api.SeemkitError(f"there is no folder or tar {str(path)!r}", path="path")
    tars = sorted(path.glob("*.tar"))
    if tars:
        return {
            f"{tar.stem}/{name}": member
            for tar in tars
            for name, member in api.tar_members(tar, reject).items()
        }
    return {
        each.relative_to(path).as_posix(): str(each) for each in sorted(path.rglob("*")) if each.is_file()
    }

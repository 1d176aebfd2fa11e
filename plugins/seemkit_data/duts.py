"""The data set `duts`: tars of DUTS photos, one salient object each, named by the ImageNet synset in its file name."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from seemkit import api

__all__ = ["Duts", "name_of_synset"]

_SYNSET = re.compile(r"^(?:.*/)?(n\d{8})_")


class Duts(api.IndexedDataset):
    """Uncompressed tars of KEY.webp and KEY.png (Wang et al., CVPR 2017); a key may begin with a synset."""

    class Options(BaseModel):
        """Where the tars are."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        path: Path = Field(description="folder of the tars")
        tars: str = Field("duts-tr-*.tar", description="pattern of their names")
        license: str = Field("academic research", description="terms of images and masks")

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._images: dict[str, api.FileSlice] = {}
        self._masks: dict[str, api.FileSlice] = {}
        for tar in sorted(options.path.glob(options.tars)):
            for name, member in api.tar_members(tar, self.reject).items():
                key, _, suffix = name.rpartition(".")
                if suffix in ("webp", "jpg", "png"):
                    (self._masks if suffix == "png" else self._images)[key] = member
        if not self._images:
            raise api.SeemkitError(f"{str(options.path)!r} has no {options.tars} with images", path="path")
        self._info = api.DatasetInfo("DUTS-TR", (), options.license, source="Wang et al., CVPR 2017")

    @property
    def info(self) -> api.DatasetInfo:
        return self._info

    def all_keys(self) -> Sequence[str]:
        return tuple(dict.fromkeys((*self._images, *self._masks)))

    def read(self, key: str) -> api.Sample:
        image, mask = self._images.get(key), self._masks.get(key)
        if image is None or mask is None:
            raise api.SeemkitError(f"{key!r} has no {'image' if image is None else 'mask'}", path=key)
        name = name_of_synset(key)
        return api.Sample(key, image, (api.SampleObject(_Levels(mask), name, key=key),))


class _Levels:
    """A mask in levels of grey, of one bit or eight: the upper half belongs to the object."""

    def __init__(self, file: api.FileSlice) -> None:
        self.file = file

    def __call__(self) -> NDArray[np.bool_]:
        """(H, W) bool."""
        levels = api.read_labels(self.file.read(), name=str(self.file))
        return np.asarray(levels > levels.max() / 2)  # files of one bit hold 0 and 1, others 0 to 255


def name_of_synset(key: str) -> str | None:
    """The first lemma of the synset that a file name such as `n03782006_13576` begins with; None without one."""
    found = _SYNSET.match(key)
    return _lemmas().get(found[1]) if found else None


@cache
def _lemmas() -> dict[str, str]:
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet22k")
    return {
        info.index_to_label_name(i): info.index_to_description(i).split(",")[0].strip().lower()
        for i in range(info.num_classes())
    }

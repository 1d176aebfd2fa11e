"""The data set `tar-pairs`: tar shards of KEY.webp and KEY.png, read in place."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from seemkit import api
from seemkit_extras.mask_meaning import MaskMeaning, read_sample

__all__ = ["TarPairs"]


class TarPairs(api.IndexedDataset):
    """Uncompressed tars of images and mask images that share a key, as WebDataset names them.

    `path` is a tar, a folder of tars, or a pattern such as data/train-*.tar. With several tars a key has the
    name of its tar before it. Members are read where they lie, so every sample can be had by itself.
    """

    class Options(MaskMeaning):
        """Which tars, which of their members, and what the masks mean."""

        image: tuple[str, ...] = Field(
            ("webp", "jpg", "jpeg"), description="what follows the key and a dot in the name of an image"
        )
        mask: str = Field("png", description="what follows the key and a dot in the name of a mask")

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._settings = options
        self._images: dict[str, api.FileSlice] = {}
        self._masks: dict[str, api.FileSlice] = {}
        tars = _tars(options.path)
        for tar in tars:
            before = f"{tar.stem}/" if len(tars) > 1 else ""
            for name, member in api.tar_members(tar, self.reject).items():
                folder, slash, file = name.rpartition("/")
                stem, _, suffix = file.partition(".")
                key = f"{before}{folder}{slash}{stem}"
                if suffix == options.mask:
                    self._masks[key] = member
                elif suffix in options.image:
                    self._images[key] = member
        if not self._images:
            wanted = ", ".join(f".{suffix}" for suffix in options.image)
            raise api.SeemkitError(f"{str(options.path)!r} holds no image ({wanted})", path="path")
        keys = {**self._images, **self._masks}
        self._keys = tuple(sorted(keys)) if options.video else tuple(keys)

    @property
    def info(self) -> api.DatasetInfo:
        return self._settings.info(self._settings.path.stem)

    def all_keys(self) -> Sequence[str]:
        return self._keys

    def read(self, key: str) -> api.Sample:
        image, mask = self._images.get(key), self._masks.get(key)
        if image is None:
            raise api.SeemkitError(f"the mask '{mask}' has no image", path=key)
        if mask is None:
            raise api.SeemkitError(f"the image '{image}' has no mask", path=key)
        return read_sample(self._settings, key, image, mask, Path(image.path).stem, self.reject)


def _tars(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(path.glob("*.tar"))
    elif any(mark in path.name for mark in "*?["):
        found = sorted(path.parent.glob(path.name))
    else:
        return [path]
    if not found:
        raise api.SeemkitError(f"there is no tar at {str(path)!r}", path="path")
    return found

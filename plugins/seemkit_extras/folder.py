"""The data set `folder`: images in one folder, mask images of the same names in another."""

from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import Field

from seemkit import api
from seemkit_extras.mask_meaning import MaskMeaning, read_sample

__all__ = ["Folder"]

IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
MASKS = (".png", ".bmp", ".tif", ".tiff", ".gif")


class Folder(api.IndexedDataset):
    """A folder of images and masks: images/KEY.jpg and masks/KEY.png, or both side by side.

    An image without a mask is kept among the faults, and so is a mask without an image.
    """

    class Options(MaskMeaning):
        """Where the images and masks are, and what the masks mean."""

        images: str = Field("images", description="folder of the images, below `path`; '.' is `path` itself")
        masks_in: str = Field(
            "masks", description="folder of the masks, below `path`; may be that of the images"
        )
        suffix: str = Field("", description="what a mask's name has after that of its image, such as _mask")

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._settings = options
        images, masks = options.path / options.images, options.path / options.masks_in
        self._masks = _files(masks, MASKS, options.suffix)
        taken = set(self._masks.values())
        self._images = _files(images, IMAGES, "", taken)
        if not self._images:
            raise api.SeemkitError(f"there is no image in {str(images)!r}", path="path")
        self._keys = tuple(sorted({*self._images, *self._masks}))

    @property
    def info(self) -> api.DatasetInfo:
        return self._settings.info(self._settings.path.resolve().name)

    def all_keys(self) -> Sequence[str]:
        return self._keys

    def read(self, key: str) -> api.Sample:
        image, mask = self._images.get(key), self._masks.get(key)
        if image is None:
            raise api.SeemkitError(f"the mask {str(mask)!r} has no image", path=key)
        if mask is None:
            raise api.SeemkitError(f"the image {str(image)!r} has no mask", path=key)
        return read_sample(
            self._settings, key, str(image), str(mask), self._settings.path.resolve().name, self.reject
        )


def _files(
    folder: Path, suffixes: Sequence[str], ending: str, taken: Collection[Path] = ()
) -> dict[str, Path]:
    """Files below a folder by their path in it, without suffix and ending; hidden and taken ones are left out."""
    if not folder.is_dir():
        raise api.SeemkitError(f"there is no folder {str(folder)!r}", path="path")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        stem = inner.with_suffix("").as_posix()
        hidden = any(part.startswith(".") for part in inner.parts)
        fits = path.suffix.lower() in suffixes and stem.endswith(ending) and path not in taken
        if fits and not hidden and path.is_file():
            found.setdefault(stem.removesuffix(ending), path)
    return found

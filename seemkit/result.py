"""What a model answers: masks at the size of the image, their scores, labels and objects, and ways out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import JsonValue

from seemkit.errors import ImageError
from seemkit.imaging.load import ImageSource, load_image
from seemkit.results.coco import CocoAnnotation, mask_box, run_lengths
from seemkit.results.polygons import Ring, mask_to_rings

__all__ = ["Label", "Result", "Segment", "Segments"]

T = TypeVar("T", bound=np.generic)

Label = tuple[str, float]
"""A name of the vocabulary and its probability."""


class Segment(TypedDict):
    """One segment of a panoptic result."""

    id: int
    label: str
    score: float
    thing: bool
    area: int


class Segments(NamedTuple):
    """A panoptic result: every pixel belongs to at most one segment.

    Attributes:
        ids: (H, W) int32, the id of the segment at each pixel; 0 where there is none.
        info: the segments, whose ids are from 1.
    """

    ids: NDArray[np.int32]
    info: tuple[Segment, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """Masks of one image and what is known of them. A plain value: it pickles, and its arrays are read-only.

    N masks; H, W pixels of the original image; h, w cells at stride 4 of the network's input.

    Attributes:
        masks: (N, H, W) bool.
        scores: (N,) float32, mean probability of the mask inside the mask, in [0, 1].
        objects: the object that each mask answers.
        labels: for each mask (name, probability), best first; empty without a vocabulary.
        selection: (N,) float32, probability that this mask is the one meant; None where nothing was chosen.
        shares: for each mask what each anchor added to its selection, role to logarithm.
        logits: (N, h, w) float32, what the next round takes as memory; None if they were not kept.
        image: (H, W, 3) uint8, the original; None if it was not kept.
        task: "segment", "instance", "semantic" or "panoptic".
        vocabulary: the names that labels are drawn from.
        semantic: (H, W) int, index into `vocabulary` at each pixel, negative for none; if task "semantic".
        segments: what a panoptic task gives.
    """

    masks: NDArray[np.bool_]
    scores: NDArray[np.float32]
    objects: tuple[str, ...] = ()
    labels: tuple[tuple[Label, ...], ...] = ()
    selection: NDArray[np.float32] | None = None
    shares: tuple[Mapping[str, float], ...] = ()
    logits: NDArray[np.float32] | None = None
    image: NDArray[np.uint8] | None = None
    task: str = "segment"
    vocabulary: tuple[str, ...] = ()
    semantic: NDArray[np.integer[Any]] | None = None
    segments: Segments | None = None

    def __post_init__(self) -> None:
        masks = np.asarray(self.masks)
        if masks.ndim != 3 or masks.dtype != np.bool_:
            raise TypeError(f"masks are bool of shape (N, H, W), not {masks.dtype} of shape {masks.shape}")
        count = len(masks)
        fill: dict[str, object] = {
            "masks": _frozen(masks),
            "scores": _frozen(np.asarray(self.scores, np.float32)),
            "objects": tuple(self.objects) or tuple(str(n + 1) for n in range(count)),
            "labels": tuple(tuple(ranked) for ranked in self.labels) or ((),) * count,
            "shares": tuple(self.shares) or ({},) * count,
            "vocabulary": tuple(self.vocabulary),
        }
        for name, kind in (
            ("selection", np.float32),
            ("logits", np.float32),
            ("image", np.uint8),
            ("semantic", None),
        ):
            value = getattr(self, name)
            fill[name] = None if value is None else _frozen(np.asarray(value, kind))
        for name, value in fill.items():
            object.__setattr__(self, name, value)
        for name in ("scores", "objects", "labels", "selection", "shares", "logits"):
            value = getattr(self, name)
            if value is not None and len(value) != count:
                raise ValueError(f"{count} masks, but {len(value)} {name}")
        for name, plane in (("image", self.image), ("semantic", self.semantic)):
            if plane is not None and plane.shape[:2] != self.size:
                raise ValueError(f"masks of size {self.size}, but {name} of {plane.shape[:2]}")

    def __len__(self) -> int:
        return len(self.masks)

    def __repr__(self) -> str:
        height, width = self.size
        shown = ", ".join(self._describe(n) for n in range(min(len(self), 4)))
        more = ", ..." if len(self) > 4 else ""
        said = f": {shown}{more}" if shown else ""
        return f"<Result {self.task}, {len(self)} mask{'s' * (len(self) != 1)} of {height} x {width}{said}>"

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the original image."""
        return int(self.masks.shape[1]), int(self.masks.shape[2])

    @property
    def names(self) -> tuple[str | None, ...]:
        """The best label of each mask; None where there is no label."""
        return tuple(ranked[0][0] if ranked else None for ranked in self.labels)

    def to_coco(self, image_id: int = 1) -> list[CocoAnnotation]:
        """One COCO annotation for each mask: compressed run lengths, box, area, score, category and object.

        ``category_id`` is the place in the vocabulary from 1, or 0 for a mask without a label from it.
        """
        places = {name: place for place, name in enumerate(self.vocabulary, start=1)}
        return [
            {
                "id": n + 1,
                "image_id": image_id,
                "category_id": places.get(name, 0) if name is not None else 0,
                "category_name": name,
                "object": self.objects[n],
                "segmentation": run_lengths(mask),
                "bbox": [float(value) for value in mask_box(mask)],
                "area": int(mask.sum()),
                "score": float(self.scores[n]),
                "iscrowd": 0,
            }
            for n, (mask, name) in enumerate(zip(self.masks, self.names, strict=True))
        ]

    def to_polygons(self, holes: bool = True, simplify: float | None = None) -> list[list[Ring]]:
        """The rings of each mask, corners (x, y) in pixels of the original image, along the edges of pixels.

        Exteriors come first and run clockwise on the screen, holes run the other way. Drawing the rings of a
        mask by the even-odd rule gives back exactly the mask.

        Args:
            holes: False fills holes, and leaves exteriors only.
            simplify: leave out corners within this many pixels of the outline; no longer exact.
        """
        return [mask_to_rings(mask, holes=holes, simplify=simplify) for mask in self.masks]

    def to_dict(self) -> dict[str, object]:
        """Everything but pixels and logits as plain values for JSON; masks and maps as COCO run lengths."""
        from seemkit.results.record import record

        return record(self)

    def overlay(
        self,
        image: ImageSource | None = None,
        labels: bool = True,
        outline: bool = True,
        alpha: float = 0.5,
        prompts: Sequence[object] = (),
    ) -> Image.Image:
        """Draw the masks on the photo.

        Args:
            image: what to draw on, of the size of the masks; by default the image of the result.
            labels: whether masks are named.
            outline: whether masks get an outline.
            alpha: how strongly their areas are tinted, from 0 to 1.
            prompts: prompts to draw on top.

        Raises:
            ImageError: the result carries no image and none is given, or it has another size.
        """
        from seemkit.imaging.overlay import draw_overlay
        from seemkit.results.layers import layers

        pixels = self.image if image is None else load_image(image)
        if pixels is None:
            raise ImageError(
                "the result carries no image to draw on: give one, overlay(image=...)", path="image"
            )
        if pixels.shape[:2] != self.size:
            (rows, columns), (height, width) = pixels.shape[:2], self.size
            raise ImageError(
                f"the image is {columns} x {rows}, but the masks are {width} x {height}: give the image that"
                " was segmented",
                path="image",
            )
        return draw_overlay(
            pixels, layers(self), labels=labels, outline=outline, alpha=alpha, prompts=prompts
        )

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the result: .png, .jpg or .webp its overlay, .json its `to_dict`, .npz its arrays.

        The file appears whole or not at all.

        Raises:
            SeemkitError: the suffix is unknown, or the file cannot be written.
        """
        from seemkit.results.save import save

        return save(self, Path(fspath(path)))

    def export(
        self, form: str, path: str | PathLike[str], *, photo: str | None = None, **options: JsonValue
    ) -> list[Path]:
        """Write the result in a format that a plugin knows, such as "coco", and name the files written.

        Args:
            form: the name of an exporter; `seemkit plugins exporters` lists them.
            path: the file.
            photo: what the file calls the photo; by default a .jpg of the same name.
            options: of the exporter.

        Raises:
            ConfigurationError: no exporter has this name, or an option is wrong.
            SeemkitError: the format cannot hold the result, or the file cannot be written.
        """
        from seemkit.results.export import plan_export

        return plan_export(form, path, options).write(self, photo)

    def _describe(self, n: int) -> str:
        label = f" {self.labels[n][0][0]}" if self.labels[n] else ""
        return f"{self.objects[n]!r}{label} {self.scores[n]:.2f}"


def _frozen(array: NDArray[T]) -> NDArray[T]:
    view = array.view()
    view.flags.writeable = False
    return view

"""The photos of the demo, which scikit-image carries, and what is asked of each, in their pixels: data."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from seemkit.errors import SeemkitError

__all__ = ["DEFAULT", "EVERYDAY", "MIRRORED", "PHOTOS", "Asked", "Photo", "find_file"]

Json = Mapping[str, object]

MIRRORED = "<the photo itself, mirrored>"
"""Stands for the image of a reference."""


@dataclass(frozen=True)
class Asked:
    """One tile of the sheet, or two if there is a second round.

    Attributes:
        title: over the tile.
        prompts: as JSON; the image of a reference is a file beside the photo, or `MIRRORED`.
        then: what the second round adds.
    """

    title: str
    prompts: tuple[Json, ...]
    then: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Photo:
    """A photo and what is asked of it.

    Attributes:
        file: in the folder `data` of scikit-image.
        vocabulary: names that labels are chosen from.
        asked: the tiles.
    """

    file: str
    vocabulary: tuple[str, ...]
    asked: tuple[Asked, ...]


def _point(x: float, y: float, **more: object) -> Json:
    return {"type": "point", "x": x, "y": y, **more}


def _box(x1: float, y1: float, x2: float, y2: float) -> Json:
    return {"type": "box", "x1": x1, "y1": y1, "x2": x2, "y2": y2}


def _scribble(width: float, *points: tuple[float, float]) -> Json:
    return {"type": "scribble", "points": points, "width": width}


def _polygon(*points: tuple[float, float]) -> Json:
    return {"type": "polygon", "points": points}


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _reference(image: str, *prompts: Json) -> Json:
    return {"type": "reference", "image": image, "prompts": prompts}


PHOTOS = {
    "astronaut": Photo(  # 512 x 512
        "astronaut.png",
        ("person", "rocket", "helmet", "flag", "airplane", "chair", "dog", "car", "tie", "sports ball"),
        (
            Asked(
                "clicks: three objects in one pass",
                (
                    _point(150, 300, object="astronaut"),
                    _point(225, 110, object="astronaut"),
                    _point(395, 150, object="shuttle"),
                    _point(395, 420, object="helmet"),
                ),
            ),
            Asked("a box", (_box(16, 12, 366, 511),)),
            Asked("a scribble", (_scribble(12, (225, 60), (222, 150), (120, 280), (100, 400)),)),
            Asked(
                "a polygon",
                (_polygon((396, 2), (436, 2), (458, 60), (458, 270), (364, 284), (350, 218), (378, 150)),),
            ),
            Asked("words", (_text("a person"),)),
            Asked(
                "a region of another photo",
                (_reference("camera.png", _scribble(24, (190, 85), (120, 170), (110, 300), (60, 430))),),
            ),
            Asked("a click", (_point(225, 110),), (_point(150, 300),)),
        ),
    ),
    "coffee": Photo(  # 600 x 400
        "coffee.png",
        ("cup", "spoon", "plate", "bowl", "table", "bottle", "fork", "cake", "person", "clock"),
        (
            Asked(
                "clicks: three objects in one pass",
                (
                    _point(290, 70, object="cup"),
                    _point(365, 285, object="spoon"),
                    _point(120, 230, object="saucer"),
                ),
            ),
            Asked("a box", (_box(172, 16, 412, 306),)),
            Asked("a scribble", (_scribble(14, (110, 220), (150, 310), (290, 365), (420, 310)),)),
            Asked(
                "a polygon",
                (
                    _polygon(
                        (372, 232), (396, 246), (406, 270), (396, 300), (366, 322), (340, 316), (328, 290)
                    ),
                ),
            ),
            Asked("words", (_text("a cup of coffee"),)),
            Asked("a region of the photo, mirrored", (_reference(MIRRORED, _box(188, 16, 428, 306)),)),
            Asked("a click", (_point(290, 70),), (_point(290, 240), _point(120, 230, include=False))),
        ),
    ),
    "motorcycle": Photo(  # 741 x 500
        "motorcycle_left.png",
        ("motorcycle", "bicycle", "bench", "box", "door", "shelf", "car", "person", "suitcase", "chair"),
        (
            Asked(
                "clicks: three objects in one pass",
                (
                    _point(420, 190, object="motorcycle"),
                    _point(370, 310, object="motorcycle"),
                    _point(570, 220, object="bin"),
                    _point(560, 65, object="box"),
                ),
            ),
            Asked("a box", (_box(90, 60, 686, 452),)),
            Asked("a scribble", (_scribble(12, (190, 185), (290, 225), (420, 195), (380, 300), (310, 340)),)),
            Asked("a polygon", (_polygon((530, 28), (594, 32), (590, 100), (527, 97)),)),
            Asked("words", (_text("a motorcycle"),)),
            Asked("a region of another photo", (_reference("motorcycle_right.png", _box(46, 60, 630, 452)),)),
            Asked("a click", (_point(420, 190),), (_point(150, 320), _point(560, 65, include=False))),
        ),
    ),
}
"""What the demo knows by name."""

DEFAULT = "astronaut"

EVERYDAY = (
    *("person", "dog", "cat", "bird", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "car"),
    *("bus", "truck", "train", "boat", "airplane", "bicycle", "motorcycle", "bench", "chair", "couch", "bed"),
    *("table", "bottle", "cup", "bowl", "plate", "spoon", "cake", "pizza", "apple", "banana", "laptop"),
    *("book", "clock", "vase", "umbrella", "backpack", "ball", "kite", "tree", "flower", "sign"),
)
"""Names for photos that the demo does not know, where the assembly has none of its own."""


def find_file(name: str) -> Path:
    """A photo that scikit-image carries, found without importing it.

    Raises:
        SeemkitError: it is not installed, or carries no such photo.
    """
    spec = find_spec("skimage")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    for folder in folders:
        path = Path(folder) / "data" / name
        if path.is_file():
            return path
    raise SeemkitError(
        f"scikit-image carries no {name!r} here; give a photo of your own: seemkit demo photo.jpg"
    )

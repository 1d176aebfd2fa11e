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


def _off(x: float, y: float) -> Json:
    return {"type": "point", "x": x, "y": y, "include": False}


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
    "motorcycle": Photo(  # 741 x 500
        "motorcycle_left.png",
        ("motorcycle", "bicycle", "bench", "door", "shelf", "car", "person", "suitcase", "chair", "dog"),
        (
            Asked(
                "clicks, on it and off it",
                (_point(420, 190), _point(150, 330), _point(625, 380), _off(560, 65), _off(570, 220)),
            ),
            Asked("a box", (_box(90, 60, 686, 452),)),
            Asked("a scribble", (_scribble(12, (190, 185), (290, 225), (420, 195), (380, 300), (310, 340)),)),
            Asked(
                "a polygon",
                (
                    _polygon(
                        *((95, 205), (150, 150), (280, 165), (360, 170), (470, 110), (520, 75), (565, 120)),
                        *((575, 240), (650, 300), (690, 400), (640, 455), (560, 420), (500, 340), (420, 380)),
                        *((330, 385), (265, 375), (215, 404), (150, 392), (118, 330), (125, 255)),
                    ),
                ),
            ),
            Asked("words", (_text("a motorcycle"),)),
            Asked("a region of another photo", (_reference("motorcycle_right.png", _box(46, 60, 630, 452)),)),
            Asked("a click", (_point(420, 190),), (_point(150, 330), _off(570, 220))),
        ),
    ),
    "astronaut": Photo(  # 512 x 512
        "astronaut.png",
        ("person", "rocket", "helmet", "flag", "airplane", "chair", "dog", "car", "tie", "sports ball"),
        (
            Asked(
                "clicks, on it and off it",
                (_point(225, 110), _point(150, 300), _off(395, 150), _off(395, 420)),
            ),
            Asked("a box", (_box(16, 12, 366, 511),)),
            Asked("a scribble", (_scribble(12, (225, 60), (222, 150), (120, 280), (100, 400)),)),
            Asked(
                "a polygon",
                (
                    _polygon(
                        *((150, 40), (240, 10), (305, 80), (285, 150), (315, 240), (355, 300), (362, 350)),
                        *((300, 380), (270, 511), (20, 511), (30, 330), (60, 260), (130, 200), (165, 150)),
                    ),
                ),
            ),
            Asked("words", (_text("a person"),)),
            Asked(
                "a region of another photo",
                (_reference("camera.png", _scribble(24, (190, 85), (120, 170), (110, 300), (60, 430))),),
            ),
            Asked("a click", (_point(225, 110),), (_point(150, 300), _off(395, 420))),
        ),
    ),
    "cat": Photo(  # 451 x 300
        "chelsea.png",
        ("cat", "dog", "bird", "horse", "bear", "person", "teddy bear", "couch", "bed", "potted plant"),
        (
            Asked("clicks, on it and off it", (_point(200, 60), _point(120, 220), _off(410, 150))),
            Asked("a box", (_box(0, 0, 400, 300),)),
            Asked("a scribble", (_scribble(12, (90, 60), (210, 50), (270, 150), (180, 250)),)),
            Asked(
                "a polygon",
                (
                    _polygon(
                        *((45, 0), (395, 0), (365, 70), (355, 130), (330, 210), (300, 262), (250, 288)),
                        *((40, 299), (0, 260), (0, 130), (28, 100)),
                    ),
                ),
            ),
            Asked("words", (_text("a cat"),)),
            Asked("a region of the photo, mirrored", (_reference(MIRRORED, _box(51, 0, 451, 300)),)),
            Asked("a click", (_point(172, 115),), (_point(120, 220), _off(410, 150))),
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
                        *((172, 100), (200, 45), (285, 17), (370, 40), (408, 95), (400, 150), (378, 215)),
                        *((325, 270), (270, 285), (215, 308), (195, 280), (212, 230), (180, 170)),
                    ),
                ),
            ),
            Asked("words", (_text("a cup of coffee"),)),
            Asked("a region of the photo, mirrored", (_reference(MIRRORED, _box(188, 16, 428, 306)),)),
            Asked("a click", (_point(290, 70),), (_point(290, 240), _off(120, 230))),
        ),
    ),
}
"""What the demo knows by name."""

DEFAULT = "motorcycle"

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

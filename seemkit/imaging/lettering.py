"""Text on pictures: fonts that can show it, shortening, and chips (a text on a rounded, coloured ground)."""

import math
import unicodedata
from contextlib import suppress
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from seemkit.errors import SeemkitError
from seemkit.imaging.palette import RGB, ink_on

__all__ = ["Font", "chip", "font", "letter_size", "shorten", "showable"]

Font = ImageFont.FreeTypeFont

_WIDER_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "arialuni.ttf", "arial.ttf")
"""Tried in this order for scripts that the font which PIL carries cannot show."""


@lru_cache(maxsize=64)
def font(size: int, text: str = "") -> Font:
    """The font that PIL carries; for a text it cannot show, the one of the system that lacks least of it."""
    best = _own(size)
    least = _lacking(best, text)
    for name in _WIDER_FONTS if least else ():
        with suppress(OSError):
            other = ImageFont.truetype(name, size)
            lacking = _lacking(other, text)
            if lacking < least:
                best, least = other, lacking
    return best


def letter_size(size: tuple[int, int]) -> int:
    """Pixels of the letters on an image of (H, W)."""
    return min(max(round(math.sqrt(size[0] * size[1]) / 28), 10), 120)


def showable(text: str) -> str:
    """`text` on one line; letters that the font of PIL lacks lose their accents, on every machine."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    face = _own(16)
    return "".join(c if not _lacking(face, c) else _plain(c) for c in unicodedata.normalize("NFC", line))


def shorten(text: str, face: Font, width: float) -> str:
    """Cut `text` so that it is at most `width` pixels wide, with an ellipsis where something is missing."""
    if face.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if face.getlength(text[:middle].rstrip() + "…") <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…" if low else ""


def chip(text: str, ground: RGB, size: int, width: float, dot: RGB | None = None) -> Image.Image | None:
    """A chip as RGBA: `text` in letters of `size` pixels, at most `width` wide; None if not even one fits.

    Args:
        text: what to say.
        ground: the colour of the chip; the ink is chosen to be readable on it.
        size: of the letters, in pixels.
        width: the chip is at most this wide; the text is cut to fit.
        dot: the colour of a disc before the text.
    """
    text = showable(text)
    face = font(size, text)
    side, above = round(size * 0.5), round(size * 0.28)
    before = round(size * 0.95) if dot else 0
    text = shorten(text, face, width - 2 * side - before)
    if not text:
        return None
    ascent, descent = _extent(face)
    wide, high = round(face.getlength(text)) + 2 * side + before, ascent + descent + 2 * above
    fine = 4
    plate = Image.new("RGBA", (wide * fine, high * fine))
    draw = ImageDraw.Draw(plate)
    draw.rounded_rectangle(
        (0, 0, wide * fine - 1, high * fine - 1), radius=high * fine * 0.28, fill=(*ground, 255)
    )
    if dot:
        reach, x, y = size * 0.32 * fine, (side + size * 0.25) * fine, high / 2 * fine
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=(*dot, 255))
    plate = plate.resize((wide, high), Image.Resampling.BOX)
    ImageDraw.Draw(plate).text(
        (side + before, above + ascent), text, font=face, fill=ink_on(ground), anchor="ls"
    )
    return plate


@lru_cache(maxsize=64)
def _own(size: int) -> Font:
    face = ImageFont.load_default(size=size)
    if not isinstance(face, ImageFont.FreeTypeFont):
        raise SeemkitError(
            "text cannot be drawn: this build of Pillow lacks FreeType; install pillow from a wheel"
        )
    return face


def _extent(face: Font) -> tuple[int, int]:
    """Pixels above and below the base line that ordinary letters need."""
    _, top, _, bottom = face.getbbox("Ahg", anchor="ls")
    return round(-top), round(bottom)


def _lacking(face: Font, text: str) -> int:
    """How many different letters of `text` the font shows as an empty box."""
    box = bytes(face.getmask("\uffff"))
    return sum(not c.isascii() and bytes(face.getmask(c)) == box for c in set(text))


def _plain(letter: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c))
    return bare if bare.isascii() else letter

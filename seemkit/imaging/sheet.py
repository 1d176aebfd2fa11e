"""A contact sheet: pictures side by side in tiles of one size, each under its title."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from seemkit.imaging.lettering import font, shorten, showable
from seemkit.imaging.palette import RGB

__all__ = ["sheet"]

_GROUND: RGB = (246, 246, 243)
_INK: RGB = (28, 30, 36)


def sheet(
    tiles: Sequence[tuple[str, Image.Image]], columns: int, *, tile: int = 480, heading: str = ""
) -> Image.Image:
    """Lay out pictures in rows of `columns`, scaled to the same long side, each under its title.

    Args:
        tiles: (title, picture) from left to right, top to bottom; a title is at most two lines.
        columns: tiles in a row.
        tile: the long side of a tile, in pixels.
        heading: a line over the whole sheet.

    Raises:
        ValueError: there is no tile, or no column.
    """
    if not tiles or columns < 1:
        raise ValueError(f"a sheet needs tiles and columns, not {len(tiles)} tiles in {columns} columns")
    columns = min(columns, len(tiles))
    pictures = [_fit(picture, tile) for _, picture in tiles]
    wide = max(picture.width for picture in pictures)
    size = max(11, round(tile / 22))
    titles = [_wrap(showable(title), size, wide) for title, _ in tiles]
    line, margin = round(size * 1.35), round(tile / 20)
    above = max(len(lines) for lines in titles) * line + round(size * 0.4)
    starts = range(0, len(tiles), columns)
    tops = [margin + (round(size * 2.4) if heading else 0)]
    for start in starts:
        tops.append(tops[-1] + above + max(p.height for p in pictures[start : start + columns]) + margin)
    page = Image.new("RGB", (margin + columns * (wide + margin), tops[-1]), _GROUND)
    draw = ImageDraw.Draw(page)
    if heading:
        large = round(size * 1.5)
        text = showable(heading)
        face = font(large, text)
        text = shorten(text, face, page.width - 2 * margin)
        draw.text((margin, margin + large), text, font=face, fill=_INK, anchor="ls")
    for index, (picture, lines) in enumerate(zip(pictures, titles, strict=True)):
        x = margin + index % columns * (wide + margin)
        y = tops[index // columns] + above
        for number, text in enumerate(lines):
            base = y - round(size * 0.6) - (len(lines) - 1 - number) * line
            draw.text((x, base), text, font=font(size, text), fill=_INK, anchor="ls")
        page.paste(picture, (x, y))
    return page


def _fit(picture: Image.Image, tile: int) -> Image.Image:
    scale = tile / max(picture.size)
    size = max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def _wrap(text: str, size: int, width: int) -> list[str]:
    """`text` on one or two lines of at most `width` pixels."""
    face = font(size, text)
    first, rest = "", text.split()
    while rest and (not first or face.getlength(f"{first} {rest[0]}") <= width):
        first = f"{first} {rest.pop(0)}".strip()
    lines = [first, " ".join(rest)] if rest else [first]
    return [shorten(line, face, width) for line in lines]

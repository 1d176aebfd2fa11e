"""What a file is, told from its first bytes: its format, whether it is read, and the size it declares."""

from collections.abc import Callable
from typing import IO

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

__all__ = ["HEAD", "READ", "declared_size", "opener", "recognise"]

READ = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
"""The formats that are read."""

HEAD = 512
"""How many bytes of a file tell what it is."""

_OPENERS: dict[str, Callable[[IO[bytes]], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
}

_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"8BPS", "Photoshop"),
    (b"\0\0\x01\0", "ICO"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"SIMPLE  =", "FITS"),
    (b"\x93NUMPY", "NumPy"),
    (b"\x89HDF", "HDF5"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"DDS ", "DDS"),
    (b"qoif", "QOI"),
    (b"\x1aE\xdf\xa3", "Matroska video"),
)

_BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"mif1": "HEIF",
    b"msf1": "HEIF",
}


def recognise(head: bytes) -> str | None:
    """The format of a file that begins with `head`: one of `READ`, another name, or None if unknown."""
    for prefix, name in _PREFIXES:
        if head.startswith(prefix):
            return name
    if head[:4] == b"RIFF":
        return "WEBP" if head[8:12] == b"WEBP" else "AVI video" if head[8:12] == b"AVI " else "RIFF"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "MP4 video")
    if head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3].isspace():
        return "Netpbm"
    if head[128:132] == b"DICM":
        return "DICOM"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<svg", b"<?xml")):
        return "SVG" if b"<svg" in text else "XML"
    return "HTML" if text.startswith((b"<!doctype html", b"<html")) else None


def declared_size(name: str, head: bytes) -> tuple[int, int] | None:
    """(H, W) that the header of a file of format `name` declares, where it stands in a fixed place.

    It is read before any decoder sees the file: WebP's allocates its canvas on opening, and headers with a
    zero are not told apart from damaged ones. None for JPEG and TIFF, whose size is found by opening them.
    """

    def little(start: int, length: int) -> int:
        return int.from_bytes(head[start : start + length], "little")

    if name == "PNG" and len(head) >= 24:
        return int.from_bytes(head[20:24], "big"), int.from_bytes(head[16:20], "big")
    if name == "GIF" and len(head) >= 10:
        return little(8, 2), little(6, 2)
    if name == "BMP" and len(head) >= 26:
        if little(14, 4) == 12:  # the header of OS/2
            return little(20, 2), little(18, 2)
        height = int.from_bytes(head[22:26], "little", signed=True)  # negative: rows from top to bottom
        return abs(height), little(18, 4)
    if name == "WEBP" and len(head) >= 30:
        kind = head[12:16]
        if kind == b"VP8 ":
            return little(28, 2) & 0x3FFF, little(26, 2) & 0x3FFF
        if kind == b"VP8L":
            return (little(21, 4) >> 14 & 0x3FFF) + 1, (little(21, 4) & 0x3FFF) + 1
        if kind == b"VP8X":
            return little(27, 3) + 1, little(24, 3) + 1
    return None


def opener(name: str) -> Callable[[IO[bytes]], ImageFile.ImageFile]:
    """What opens files of a format of `READ` without decoding them.

    The format's own class, not ``PIL.Image.open``: that one registers formats and warns by global limits.
    """
    return _OPENERS[name]

"""A fixed part of a data set: pictures fall into hundredths by a checksum of their names."""

import zlib
from pathlib import PurePosixPath

__all__ = ["hundredth"]


def hundredth(key: str) -> int:
    """Which hundredth of its data set a picture is in, from 0 to 99.

    Only the file's name counts, without its suffix and without zeros before it, so that the number of a picture and
    the name of its file fall into the same.
    """
    stem = PurePosixPath(key).name.partition(".")[0]
    return zlib.crc32((stem.lstrip("0") or stem[-1:]).encode()) % 100

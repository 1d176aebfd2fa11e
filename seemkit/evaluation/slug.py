"""Names of data sets, measures and pictures as names of files."""

import re
import zlib

__all__ = ["slug"]


def slug(name: str) -> str:
    """A name of letters, digits and ``._-`` that any file system takes; one that is changed stays unlike others."""
    plain = re.sub(r"[^\w.-]+", "_", name)[:80]
    return plain if plain == name else f"{plain.strip('_')}-{zlib.crc32(name.encode()):08x}"

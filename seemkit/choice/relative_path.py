"""Paths in a configuration, which may come from a stranger: they stay below a folder."""

import unicodedata

__all__ = ["check_relative"]


def check_relative(
    path: str, suffixes: tuple[str, ...], below: str = "the folder of the configuration"
) -> str:
    """`path` if it stays below the folder it is relative to and has one of `suffixes`; raises ValueError.

    Args:
        path: as it was written.
        suffixes: what it may end in.
        below: what a message calls the folder.
    """
    seen = unicodedata.normalize("NFKC", path)  # a look-alike of a dot or a slash counts as one
    parts = seen.split("/")
    if not path.isprintable() or "\\" in seen or ":" in seen or seen.startswith(("/", "~")):
        raise ValueError(f"expected a relative path with '/', below {below}")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"expected a path without '.', '..' or empty parts, below {below}")
    if not path.endswith(suffixes) or parts[-1] in suffixes:
        raise ValueError(f"expected a file that ends in {' or '.join(suffixes)}")
    return path

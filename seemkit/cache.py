"""Where seemkit keeps what it makes from downloads, so that a model is fetched and converted once."""

import os
from pathlib import Path

__all__ = ["cache_folder", "converted_path"]


def cache_folder() -> Path:
    """`SEEMKIT_CACHE`, else `seemkit` below `XDG_CACHE_HOME`, else `~/.cache/seemkit`; it need not exist."""
    own = os.environ.get("SEEMKIT_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute() / "seemkit"


def converted_path(repo: str, file: str, revision: str) -> Path:
    """Where the weights that are made of a published file are, or should be.

    Args:
        repo: `owner/name` of the repository that publishes it.
        file: its path in there.
        revision: of the repository.
    """
    folder = cache_folder() / "weights" / repo.replace("/", "--") / revision
    return (folder / file).with_suffix(".safetensors")

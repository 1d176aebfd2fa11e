"""Values that travel in JSON by their hash, and are handed over beside it."""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["take_asset"]


def take_asset(
    assets: Mapping[Any, Any],
    name: object,
    word: str,
    hash_of: Callable[[Any], object],
    form: str | None = None,
) -> Any:
    """The asset of a hash.

    Args:
        assets: what was handed over, by hash.
        name: the hash.
        word: what it is the hash of, for the sentence.
        hash_of: the hash of an asset, which has to be `name`.
        form: what is handed over, for the sentence; by default `word`.

    Raises:
        ValueError: it was not handed over, or has other content.
    """
    short = str(name)[:12]
    if name not in assets:
        raise ValueError(
            f"the {word} {short}... travels by hash: hand it over in assets={{hash: {form or word}}}"
        )
    found = assets[name]
    if hash_of(found) != name:
        raise ValueError(f"the asset handed over as {short}... has other content")
    return found

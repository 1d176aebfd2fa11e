"""Class names of data sets as words, and which class a word means again."""

from collections.abc import Sequence

__all__ = ["plain_name", "plain_names"]

_ENDINGS = ("-other", "-merged", "-stuff")


def plain_name(name: str) -> str:
    """A name without COCO's endings, as SEEM asks for it: "floor-other-merged" is "floor"."""
    plain = name
    while plain.endswith(_ENDINGS):
        plain = plain.rpartition("-")[0]
    return plain or name


def plain_names(names: Sequence[str]) -> dict[str, str]:
    """Names by the words that are asked for; where two would be asked for alike, both stay as they are."""
    plain = [plain_name(name) for name in names]
    return {
        short if plain.count(short) == 1 else name: name for name, short in zip(names, plain, strict=True)
    }

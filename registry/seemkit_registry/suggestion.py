"""The nearest right names for a word that is not one of them."""

from collections.abc import Iterable
from difflib import SequenceMatcher

__all__ = ["distance", "nearest"]


def nearest(word: str, candidates: Iterable[str], n: int = 1) -> list[str]:
    """The `n` candidates that `word` most likely meant, best first; empty if none is near.

    Case, and ``-`` against ``_``, do not count. A candidate is near if it takes few edits (about one for
    three letters), contains the word or is contained, or shares most of its letters in order. The answer does
    not depend on the order of the candidates.

    >>> nearest("ponits", ["boxes", "points", "polygons"])
    ['points']
    """
    wanted = _fold(word)
    ranked: list[tuple[int, float, str]] = []
    for candidate in sorted(set(candidates)):
        folded = _fold(candidate)
        edits = distance(wanted, folded)
        likeness = SequenceMatcher(None, wanted, folded, autojunk=False).ratio()
        contained = len(wanted) >= 3 and (wanted in folded or (len(folded) >= 3 and folded in wanted))
        few = edits <= max(1, (max(len(wanted), len(folded)) + 1) // 3) and edits < len(folded)
        if few or contained or likeness >= 0.7:
            # A part of a long name costs as much as one edit, whatever is missing around it.
            ranked.append((min(edits, 2) if contained else edits, -likeness, candidate))
    return [candidate for _, _, candidate in sorted(ranked)[:n]]


def distance(a: str, b: str) -> int:
    """Edits between `a` and `b`: insert, delete, replace a letter, or swap two neighbours (Damerau 1964)."""
    two_above: list[int] = []
    above = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        row = [i]
        for j, other in enumerate(b, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, two_above[j - 2] + 1)
            row.append(cost)
        two_above, above = above, row
    return above[-1]


def _fold(word: str) -> str:
    return word.strip().casefold().replace("_", "-")

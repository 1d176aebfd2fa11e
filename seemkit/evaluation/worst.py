"""The pictures on which a measure did worst, kept while it runs: never more of them than asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from seemkit.evaluation.slug import slug

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["WorstCases"]


class WorstCases:
    """A folder with the pictures of the lowest scores, whose names begin with the score.

    Args:
        folder: where they are kept; made when the first is drawn.
        most: how many.
        known: scores of pictures that were seen before, by key.
    """

    def __init__(self, folder: Path, most: int, known: dict[str, float] | None = None) -> None:
        self.folder = folder
        self.most = most
        self._scores = dict(known or {})
        self._keep_only_the_worst()

    def see(self, key: str, score: float, picture: Callable[[], Image.Image]) -> None:
        """Draw a picture if it is among the worst so far, and drop the one that no longer is."""
        self._scores[key] = score
        if key not in self._worst():
            return
        from seemkit.results.atomic import replacing

        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self.folder / _file_name(key, score)) as file:
            picture().save(file, "PNG")
        self._keep_only_the_worst()

    def _worst(self) -> set[str]:
        return set(sorted(self._scores, key=lambda key: (self._scores[key], key))[: self.most])

    def _keep_only_the_worst(self) -> None:
        if not self.folder.is_dir():
            return
        wanted = {_file_name(key, self._scores[key]) for key in self._worst()}
        for path in self.folder.glob("*.png"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)


def _file_name(key: str, score: float) -> str:
    """Sorts by score."""
    return f"{max(score, 0.0):.4f}-{slug(key)}.png"

"""Data that are asked for by texts alone have some, or are refused before anything is trained."""

from pathlib import Path
from typing import Any

import pytest

from seemkit.errors import SeemkitError
from seemkit.training.recipe import load_recipe
from seemkit.training.sources import open_sources
from seemkit.training.train import make_feed

NONE = {"prompt": 0, "reference": 0, "text": 0, "mixed": 0}


def ask(photos: Path, options: dict[str, Any], shares: dict[str, float]) -> None:
    """Make the feed of a recipe on a folder."""
    sources: list[Any] = [{"use": "folder", "path": str(photos), **options}]
    recipe = load_recipe("fine-tune", {"data.sources": sources, "objective.shares": {**NONE, **shares}})
    make_feed(recipe, open_sources(recipe), {})


@pytest.mark.parametrize("shares", [{"text": 1}, {"mixed": 1}, {"text": 1, "mixed": 2}])
def test_texts_alone_are_refused_where_no_object_has_one(photos: Path, shares: dict[str, float]) -> None:
    with pytest.raises(
        SeemkitError, match="asks by texts alone, but no object of the data has a name or a phrase"
    ):
        ask(photos, {}, shares)
    ask(photos, {"category": "cell"}, shares)


def test_texts_among_others_are_not_refused(photos: Path) -> None:
    ask(photos, {}, {"text": 1, "prompt": 1})
    ask(photos, {}, {"text": 1, "reference": 1})

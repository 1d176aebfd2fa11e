"""The answer policy of an assembly, in a model."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from seemkit import Model
from seemkit.api import Prompt
from seemkit.prompts import Box, Memory, Point, Reference, Scribble, Text


@pytest.fixture(scope="module")
def models(new_model: Callable[..., Model]) -> tuple[Model, Model]:
    fused, priority = (new_model(answer_policy={"use": name}) for name in ("fused", "priority"))
    return fused, priority


PHOTO = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
ONE_KIND: dict[str, list[Prompt]] = {
    "points": [Point(x=20, y=20), Point(x=40, y=5, include=False)],
    "spatial": [Point(x=20, y=20), Box(x1=3, y1=3, x2=40, y2=30), Scribble(points=[(3, 3), (9, 9)])],
    "text": [Text(text="a dog"), Text(text="a red dog"), Text(text="a cat", include=False)],
    "reference": [Reference(image=PHOTO, prompts=[Point(x=20, y=20)])],
    "memory": [Memory(mask=np.tri(72, 96, dtype=bool))],
}


@pytest.mark.parametrize("kind", ONE_KIND)
def test_with_one_kind_of_prompt_both_policies_answer_alike(
    models: tuple[Model, Model], photo: NDArray[np.uint8], kind: str
) -> None:
    one, two = (model.segment(photo, ONE_KIND[kind], select="all") for model in models)
    for field in ("masks", "scores", "selection", "logits"):
        assert np.array_equal(getattr(one, field), getattr(two, field)), field


def test_priority_ranks_a_mixture_by_its_region_alone(
    models: tuple[Model, Model], photo: NDArray[np.uint8]
) -> None:
    mixed: list[Prompt] = [Point(x=20, y=20), Text(text="grass")]
    fused, priority = (model.segment(photo, mixed, select="all") for model in models)
    by_region = [share["region"] for share in priority.shares]
    assert by_region == sorted(by_region, reverse=True)
    by_both = [sum(share.values()) for share in fused.shares]
    assert by_both == sorted(by_both, reverse=True)
    assert [s["region"] for s in fused.shares] != by_region

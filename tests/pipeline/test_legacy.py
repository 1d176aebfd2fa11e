"""Legacy options on a tiny published model: seeded, replayed, and shared by the objects of a request."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from seemkit.errors import SeemkitError
from seemkit.network.legacy import Draws
from seemkit.prompts import Mask, Memory, Text
from tests.conftest import tiny_assembly

ALL = {"queries": 3, "shared_points": True, "drawn_memory": True, "joint_phrases": True}


@pytest.fixture(scope="module")
def legacy_model(new_model: Callable[..., Any]) -> Callable[..., Any]:
    def build(**options: Any) -> Any:
        decoder = {**tiny_assembly()["mask_decoder"], "legacy": options}
        return new_model(mask_decoder=decoder)

    return build


@pytest.fixture(scope="module")
def photo() -> Any:
    return np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)


def square(size: int, **fields: Any) -> Mask:
    mask = np.zeros((96, 128), bool)
    mask[10 : 10 + size, 20 : 20 + size] = True
    return Mask(mask=mask, **fields)


def logits(result: Any) -> torch.Tensor:
    return torch.tensor(result.logits)


def test_the_same_request_draws_the_same_and_another_seed_does_not(
    legacy_model: Callable[..., Any], photo: Any
) -> None:
    model, other = legacy_model(**ALL), legacy_model(**ALL, seed=1)
    first, again = (logits(model.segment(photo, [square(40)])) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, logits(other.segment(photo, [square(40)])))


def test_three_candidates_an_object_are_drawn(legacy_model: Callable[..., Any], photo: Any) -> None:
    model = legacy_model(queries=3)
    prompts = [square(4), square(6, object="2")]
    assert len(model.segment(photo, prompts, select="all")) == 6
    assert len(model.segment(photo, [Text(text="a cat")], select="all")) == 8  # phrases keep all of them


def test_joint_phrases_influence_each_other(legacy_model: Callable[..., Any], photo: Any) -> None:
    model = legacy_model(joint_phrases=True)
    cat, dog = Text(text="a cat", object="1"), Text(text="two dogs", object="2")
    alone = logits(model.segment(photo, [cat], select="all"))
    both = logits(model.segment(photo, [cat, dog], select="all"))
    assert len(both) == 2 * len(alone)
    assert not torch.allclose(both[: len(alone)].sort(0).values, alone.sort(0).values, atol=1e-4)


def test_an_object_whose_points_the_draw_leaves_out_is_still_answered(
    legacy_model: Callable[..., Any], photo: Any
) -> None:
    # 512 of the large region's pixels are drawn, and none of the small one's, which come last
    model = legacy_model(shared_points=True)
    draw = list(range(512))
    prompts = [square(40), square(2, object="2")]
    result = model.replaying(Draws([draw] * 4)).segment(photo, prompts)
    assert result.objects == ("1", "2")


def test_memory_of_one_object_is_the_same_drawn_or_not(legacy_model: Callable[..., Any], photo: Any) -> None:
    drawn, plain = legacy_model(drawn_memory=True), legacy_model()
    memory = {"1": logits(plain.segment(photo, [square(6)]))[0]}
    found, expected = (logits(m.segment(photo, [square(6)], memory=memory)) for m in (drawn, plain))
    assert torch.allclose(found, expected, atol=1e-4)


def test_a_model_that_draws_nothing_replays_nothing(legacy_model: Callable[..., Any]) -> None:
    with pytest.raises(SeemkitError, match="draws nothing at random"):
        legacy_model().replaying(Draws([]))


def test_two_memories_of_an_object_are_refused(legacy_model: Callable[..., Any], photo: Any) -> None:
    model = legacy_model(drawn_memory=True)
    masks = [square(6).mask, square(9).mask]
    with pytest.raises(SeemkitError, match="two memories"):
        model.segment(photo, [square(6), *(Memory(mask=mask) for mask in masks)])

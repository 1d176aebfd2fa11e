"""Legacy options on a tiny published model: seeded, replayed, and shared by the objects of a request."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from seemkit import Draws, SeemkitError
from seemkit.prompts import Mask, Memory, Reference, Text
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
    with model.replaying(Draws([draw] * 4)) as replayed:
        result = replayed.segment(photo, prompts)
    assert result.objects == ("1", "2")


@pytest.mark.parametrize("option", ["drawn_points", "shared_points"])
def test_points_of_a_reference_are_drawn_as_those_of_a_region(
    option: str, legacy_model: Callable[..., Any], photo: Any
) -> None:
    # on the input grid the square has 26 x 27 pixels; drawn_points draws them all and takes 512
    model, there = legacy_model(**{option: True}), photo[:, ::-1]
    reference = Reference(image=there, prompts=[square(40)])
    count = 26 * 27
    order = [np.random.default_rng(k).permutation(count) for k in range(4)]
    record = [each if option == "drawn_points" else each[:512] for each in order]
    found = []
    for draws in (record, record, record[::-1]):
        with model.replaying(Draws(draws)) as replayed:
            found.append(logits(replayed.segment(photo, [reference])))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    first, again = (logits(model.segment(photo, [reference])) for _ in range(2))
    assert torch.equal(first, again)
    with model.replaying(Draws([])) as replayed, pytest.raises(SeemkitError, match="used up"):
        replayed.segment(photo, [reference])


def test_rounds_may_share_a_record_and_have_to_use_it_up(
    legacy_model: Callable[..., Any], photo: Any
) -> None:
    model = legacy_model(queries=3)
    with model.replaying(Draws([[0, 1, 2], [5, 6, 7]])) as replayed:
        first, second = (logits(replayed.segment(photo, [square(6)])) for _ in range(2))
    assert not torch.equal(first, second)
    with (
        pytest.raises(SeemkitError, match="1 recorded draws are left over after the 1 that were asked for"),
        model.replaying(Draws([[0, 1, 2], [5, 6, 7]])) as replayed,
    ):
        replayed.segment(photo, [square(6)])


def test_what_went_wrong_is_told_before_what_is_left_over(
    legacy_model: Callable[..., Any], photo: Any
) -> None:
    model = legacy_model(queries=3)
    with (
        pytest.raises(SeemkitError, match=r"draws\[0\] is int64 of shape \(2,\)"),
        model.replaying(Draws([[0, 1], [5, 6, 7]])) as replayed,
    ):
        replayed.segment(photo, [square(6)])


def test_memory_of_one_object_is_the_same_drawn_or_not(legacy_model: Callable[..., Any], photo: Any) -> None:
    drawn, plain = legacy_model(drawn_memory=True), legacy_model()
    memory = {"1": logits(plain.segment(photo, [square(6)]))[0]}
    found, expected = (logits(m.segment(photo, [square(6)], memory=memory)) for m in (drawn, plain))
    assert torch.allclose(found, expected, atol=1e-4)


def test_a_model_that_draws_nothing_replays_nothing(legacy_model: Callable[..., Any]) -> None:
    with (
        pytest.raises(SeemkitError, match="draws nothing at random"),
        legacy_model().replaying(Draws([])),
    ):
        pass


def test_two_memories_of_an_object_are_refused(legacy_model: Callable[..., Any], photo: Any) -> None:
    model = legacy_model(drawn_memory=True)
    masks = [square(6).mask, square(9).mask]
    with pytest.raises(SeemkitError, match="two memories"):
        model.segment(photo, [square(6), *(Memory(mask=mask) for mask in masks)])

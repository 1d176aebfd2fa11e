"""Groups of several objects side by side, and what is padding without asking the device."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seemkit import Model
from seemkit.pipeline import compose as room_of_compose
from seemkit.pipeline import stack as room
from seemkit.pipeline.stack import stack_groups
from seemkit.prompting.rows import Group
from seemkit.prompts import Point, Text

LIKE = torch.zeros(1, 4)


def rows(count: int, value: float = 1.0) -> torch.Tensor:
    return torch.full((count, 4), value)


def test_objects_without_the_same_number_of_rows_are_padded() -> None:
    (batch,) = stack_groups([[Group("phrase", rows(2))], [Group("phrase", rows(5))], []], LIKE)
    assert batch.length == 5
    missing = batch.missing(0)
    assert missing is not None
    assert (~missing).sum(1).tolist() == [2, 5, 0]
    (even,) = stack_groups([[Group("phrase", rows(2))], [Group("phrase", rows(2))]], LIKE)
    assert even.padding is None


def test_groups_of_one_role_are_joined_and_limited_ones_stay_apart() -> None:
    limit = torch.ones(2, 2)
    groups = [
        Group("phrase", rows(2, 1)),
        Group("memory", rows(1, 2), attends=limit),
        Group("phrase", rows(1, 3)),
        Group("memory", rows(1, 4), attends=-limit),
    ]
    phrase, first, second = stack_groups([groups], LIKE)
    assert phrase.at(0)[0][0, :, 0].tolist() == [1, 1, 3]
    assert [b.role for b in (first, second)] == ["memory", "memory"]
    assert first.attends is not None
    assert second.attends is not None
    assert (float(first.attends.sum()), float(second.attends.sum())) == (4, -4)


@pytest.mark.parametrize("persist", [True, False])
def test_padding_that_only_the_device_knows_stays_as_blank_rows(
    monkeypatch: pytest.MonkeyPatch, persist: bool
) -> None:
    nan = torch.cat((rows(1, float("nan")), rows(2)))
    padding = torch.tensor([True, False, False])
    content: Any = nan if persist else (nan,) * 3
    one: Any = rows(1) if persist else (rows(1),) * 3
    groups = [
        [Group("phrase", content, padding=padding, persist=persist), Group("phrase", one, persist=persist)]
    ]
    (cut,) = stack_groups(groups, LIKE)
    assert cut.length == 3
    monkeypatch.setattr(room, "_on_host", lambda x: False)
    (kept,) = stack_groups(groups, LIKE)
    missing = kept.missing(0)
    assert missing is not None
    assert missing.tolist() == [[True, False, False, False]]
    for x in kept.at(0):
        assert x[0, :, 0].tolist() == [0, 1, 1, 1]


def test_blank_rows_answer_as_rows_that_are_not_there(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model("seem_v1")
    scene = model.encode(photo)
    asked = [Text(text="a cat"), Point(x=20, y=20)]
    expected = model.segment(scene, asked, select="all").logits

    def padded(groups: Any, like: torch.Tensor) -> Any:
        more = [
            [
                Group(
                    g.role,
                    torch.cat((g.content, torch.full_like(g.content, float("nan")))),
                    padding=torch.arange(2 * len(g.content)) >= len(g.content),
                )
                for g in each
            ]
            for each in groups
        ]
        return stack_groups(more, like)

    monkeypatch.setattr(room, "_on_host", lambda x: False)
    monkeypatch.setattr(room_of_compose, "stack_groups", padded)
    np.testing.assert_allclose(model.segment(scene, asked, select="all").logits, expected, atol=5e-5)

"""Draws of the original: replayed in their order, or from a seed; and memory rows that objects share."""

from typing import Any

import pytest
import torch

from seemkit.errors import SeemkitError
from seemkit.network.decoder import Seem
from seemkit.network.legacy import Draws, Legacy, hand_on, keep_owners


def test_a_record_is_handed_out_in_order_and_sorted_where_the_original_sorts() -> None:
    draws = Draws([[3, 0, 7], [2, 0, 1], [1, 0, 0]])
    assert draws.pick(3, 101).tolist() == [3, 0, 7]
    assert draws.share([2, 1], 512).tolist() == [0, 1, 2]
    assert draws.owners(3, 2).tolist() == [0, 0, 1]
    draws.finish()


@pytest.mark.parametrize(
    ("record", "match"),
    [
        ([], "the 0 recorded draws are used up"),
        ([[1, 2]], r"draws\[0\] is int64 of shape \(2,\), expected 3 integers from 0 to 100"),
        ([[0, 1, 101]], r"3 different integers in 3, from 0 to 101, expected 3 integers from 0 to 100"),
        ([[0, -1, 1]], "from -1 to 1"),
        ([[0.5, 1, 2]], r"draws\[0\] is float64 of shape \(3,\)"),
        ([[True, False, True]], "bool"),
        ([[[0, 1, 2]]], r"shape \(1, 3\)"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(record: Any, match: str) -> None:
    with pytest.raises(SeemkitError, match=match) as caught:
        Draws(record).pick(3, 101)
    assert caught.value.path == "draws[0]"


def test_places_that_are_drawn_once_are_recorded_once() -> None:
    # the original draws an order of all places, and takes the first
    assert Draws([[4, 0, 3, 1, 2]]).shuffle(5, 3).tolist() == [4, 0, 3]
    assert Draws([[2, 2, 2]]).pick(3, 101).tolist() == [2, 2, 2]
    with pytest.raises(SeemkitError, match=r"4 different .* from 0 to 4, expected 5 different"):
        Draws([[4, 0, 3, 0, 2]]).shuffle(5, 3)
    with pytest.raises(SeemkitError, match=r"shape \(3,\), expected 5 different"):
        Draws([[4, 0, 3]]).shuffle(5, 3)
    with pytest.raises(SeemkitError, match=r"2 different .* from 0 to 1, expected 3 different"):
        Draws([[0, 1, 1]]).share([2, 1], 512)


def test_what_is_left_of_a_record_is_refused() -> None:
    draws = Draws([[0], [1], [1]])
    draws.pick(1, 2)
    with pytest.raises(SeemkitError, match="2 recorded draws are left over after the 1 that were asked for"):
        draws.finish()


def test_a_seed_draws_the_same_again() -> None:
    first, again, other = Draws(seed=1), Draws(seed=1), Draws(seed=2)
    assert torch.equal(first.pick(50, 101), again.pick(50, 101))
    assert not torch.equal(first.shuffle(600, 512), other.shuffle(600, 512))


def test_objects_share_a_budget_alike_whatever_their_size() -> None:
    chosen = Draws(seed=0).share([10_000, 400], 512)
    assert len(chosen) == len(set(chosen.tolist())) == 512
    assert chosen.equal(chosen.sort().values)
    # with weights of 1 / pixels the small object gets about half, by pixels it would get 20
    assert 150 < int((chosen >= 10_000).sum()) < 360


def test_an_object_reads_only_the_memory_rows_that_it_owns() -> None:
    allowed = torch.ones(2, 5, 5, dtype=torch.bool)
    limited = keep_owners(allowed, slice(2, 5), torch.tensor([0, 1, 1]), 2)
    assert limited[0, :, 2:].tolist() == [[True, False, False]] * 5
    assert limited[1, :, 2:].tolist() == [[False, True, True]] * 5
    assert limited[:, :, :2].all()


def test_a_memory_row_becomes_what_its_owner_made_of_it() -> None:
    x = torch.arange(2 * 4 * 1.0).view(2, 4, 1)
    out = hand_on(x, slice(2, 4), torch.tensor([1, 0]))
    assert out[..., 0].tolist() == [[0, 1, 6, 3], [4, 5, 6, 3]]


def test_only_published_presets_have_legacy_options() -> None:
    options = Seem.Options(preset="nano", legacy=Legacy(queries=3))
    with pytest.raises(ValueError, match="'nano' has no legacy options"):
        Seem.build(options, 64)
    with pytest.raises(ValueError, match="exclude each other"):
        Legacy(shared_points=True, drawn_points=True)


@pytest.mark.parametrize("preset", ["seem_v0", "seem_demo"])
def test_only_a_preset_that_samples_queries_draws_them(preset: Any) -> None:
    # v1 alone draws them in the original
    with pytest.raises(
        ValueError, match=f"the preset '{preset}' gives each object all queries and draws none"
    ):
        Seem.build(Seem.Options(preset=preset, legacy=Legacy(queries=3)), 64)

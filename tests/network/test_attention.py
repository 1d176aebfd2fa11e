"""Attention against `torch.nn.MultiheadAttention` with the same weights."""

import pytest
import torch
from torch import Tensor, nn

from seemkit.network.attention import Attention, attend

DIM, HEADS = 24, 3


@pytest.fixture
def pair() -> tuple[Attention, nn.MultiheadAttention]:
    torch.manual_seed(0)
    ours, theirs = Attention(DIM, HEADS), nn.MultiheadAttention(DIM, HEADS, batch_first=True)
    nn.init.normal_(ours.in_proj_bias)
    nn.init.normal_(ours.out_proj.bias)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def assert_alike(
    pair: tuple[Attention, nn.MultiheadAttention], query: Tensor, key: Tensor, value: Tensor, allowed: Tensor
) -> None:
    """Where all may be read, and where only `allowed` (N, T, S) is."""
    ours, theirs = pair
    forbidden = (~allowed).repeat_interleave(HEADS, dim=0)
    torch.testing.assert_close(ours(query, key, value), theirs(query, key, value)[0])
    torch.testing.assert_close(
        ours(query, key, value, allowed), theirs(query, key, value, attn_mask=forbidden)[0]
    )


def test_parameters_have_the_names_of_multihead_attention(
    pair: tuple[Attention, nn.MultiheadAttention],
) -> None:
    ours, theirs = pair
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in theirs.state_dict().items()
    }


@torch.no_grad()
def test_it_equals_multihead_attention(pair: tuple[Attention, nn.MultiheadAttention]) -> None:
    query, key, value = torch.randn(2, 5, DIM), torch.randn(2, 7, DIM), torch.randn(2, 7, DIM)
    allowed = torch.rand(2, 5, 7) > 0.5
    allowed[..., 0] = True  # the reference gives NaN for a row that may read nothing
    assert_alike(pair, query, key, value, allowed)


@torch.no_grad()
def test_projecting_keys_and_values_beforehand_changes_no_bit(
    pair: tuple[Attention, nn.MultiheadAttention],
) -> None:
    ours, _ = pair
    query, key, value = torch.randn(2, 5, DIM), torch.randn(2, 7, DIM), torch.randn(2, 7, DIM)
    assert torch.equal(ours(query, key, value), ours.read(query, ours.keys(key), ours.values(value)))


@torch.no_grad()
def test_few_rows_that_read_many_are_answered_as_by_multihead_attention(
    pair: tuple[Attention, nn.MultiheadAttention],
) -> None:
    """The products are made in another order then."""
    ours, _ = pair
    query, key, value = torch.randn(2, 3, DIM), torch.randn(2, 40, DIM), torch.randn(2, 40, DIM)
    assert ours._pays_to_carry_over(3, 40)
    allowed = torch.rand(2, 3, 40) > 0.5
    assert_alike(pair, query, key, value, allowed)
    allowed[1, 2] = False
    torch.testing.assert_close(
        ours(query, key, value, allowed), ours.read(query, ours.keys(key), ours.values(value), allowed)
    )


def test_a_row_that_may_read_nothing_gives_zeros_and_no_gradient() -> None:
    query, keys, values = (torch.randn(1, 2, n, 4, requires_grad=True) for n in (3, 5, 5))
    allowed = torch.ones(1, 1, 3, 5, dtype=torch.bool)
    allowed[0, 0, 1] = False
    out = attend(query, keys, values, allowed)
    assert torch.equal(out[:, :, 1], torch.zeros(1, 2, 4))
    assert (out[:, :, [0, 2]] != 0).all()
    out[:, :, 1].sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, torch.zeros_like(values))


def test_a_blind_row_leaves_the_others_as_they_are() -> None:
    query, keys, values = (torch.randn(1, 2, n, 4) for n in (3, 5, 5))
    allowed = torch.rand(1, 1, 3, 5) > 0.3
    allowed[..., 0] = True
    before = attend(query, keys, values, allowed)
    blinded = allowed.clone()
    blinded[0, 0, 1] = False
    after = attend(query, keys, values, blinded)
    assert torch.equal(before[:, :, [0, 2]], after[:, :, [0, 2]])


def test_rows_of_many_objects_read_one_scene_as_each_would_alone() -> None:
    torch.manual_seed(0)
    attention = Attention(8, 2)
    torch.nn.init.normal_(attention.in_proj_weight)
    query, scene = torch.randn(3, 5, 8), torch.randn(1, 7, 8)
    allowed = torch.rand(3, 5, 7) > 0.5
    allowed[1, 2] = False
    keys, values = attention.keys(scene), attention.values(scene)
    for mask in (None, allowed):
        together = attention.read(query, keys, values, mask)
        for i in range(3):
            own = None if mask is None else mask[i : i + 1]
            alone = attention.read(query[i : i + 1], keys, values, own)
            torch.testing.assert_close(together[i : i + 1], alone)

"""Parts of mask features against the same parts of the whole, which one plain convolution gives."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from seemkit.network.mask_features import MASKS, MaskFeatures, dot
from seemkit.network.resampling import bilinear, resize_features

C, D = 12, 8
KERNELS = [None, 1, 3, 5]


@pytest.fixture(autouse=True)
def no_grad() -> Iterator[None]:
    with torch.no_grad():
        yield


def features(kernel: int | None = 3, batch: int = 1, size: tuple[int, int] = (16, 24)) -> MaskFeatures:
    torch.manual_seed(kernel or 0)
    if kernel is None:
        return MaskFeatures(torch.randn(batch, C, *size))
    layer = nn.Conv2d(D, C, kernel, padding=kernel // 2)
    nn.init.normal_(layer.bias)
    return MaskFeatures(torch.randn(batch, D, *size), layer.weight, layer.bias)


def whole_of(given: MaskFeatures) -> Tensor:
    """What the plain convolution gives, without leaving anything in `given`."""
    return MaskFeatures(given.fine, given.weight, given.bias).whole


def close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", [(8, 12), (4, 6), (2, 3), (16, 24), (5, 7), (1, 1)])
def test_resized_equals_the_whole_resized(kernel: int | None, size: tuple[int, int]) -> None:
    lazy = features(kernel, batch=2)
    out = lazy.resized([size])[0]
    assert out.shape == (2, C, *size)
    close(out, resize_features(whole_of(lazy), size))


@pytest.mark.parametrize("step", [2, 4, 8])
def test_an_even_step_never_makes_the_whole(step: int) -> None:
    lazy = features(3)
    lazy.resized([(16 // step, 24 // step)])[0]
    assert not lazy._kept
    lazy.resized([(5, 7)])[0]  # no whole step: there is no shorter way
    assert lazy._kept


@settings(max_examples=40, deadline=None)
@given(
    kernel=st.sampled_from(KERNELS),
    places=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6),
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
)
def test_mean_at_points_equals_the_mean_of_samples_of_the_whole(
    kernel: int | None, places: list[tuple[float, float]], size: tuple[int, int]
) -> None:
    lazy = features(kernel, size=size)
    xy = torch.tensor(places)[None].expand(2, -1, -1)
    weights = torch.ones(2, len(places)) / len(places)
    weights[1] = 0  # an object without evidence
    out = lazy.mean_at(xy, weights)
    close(out[0], bilinear(whole_of(lazy), xy[:1])[0].mean(0))
    assert torch.equal(out[1], torch.zeros(C))


def test_mean_at_points_goes_image_by_image() -> None:
    lazy = features(3, batch=2)
    xy, weights = torch.rand(4, 5, 2), torch.full((4, 5), 0.2)
    out = lazy.mean_at(xy, weights)
    for n in range(4):
        alone = MaskFeatures(lazy.fine[n // 2 : n // 2 + 1], lazy.weight, lazy.bias)
        close(out[n : n + 1], alone.mean_at(xy[n : n + 1], weights[n : n + 1]))


@pytest.mark.parametrize("kernel", KERNELS)
def test_mean_inside_equals_the_mean_of_the_whole_there(kernel: int | None) -> None:
    lazy = features(kernel)
    inside = torch.zeros(16, 24)
    inside[:5, 20:] = inside[9, 3] = inside[15, 0] = 1  # a corner, a cell, the last row
    close(lazy.mean_inside(inside), whole_of(lazy)[0][:, inside.bool()].mean(1))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("masks", [1, 3, C])
def test_dot_equals_the_dot_with_the_whole(kernel: int | None, batch: int, masks: int) -> None:
    lazy = features(kernel, batch=batch)
    embeddings = torch.randn(2 * batch, masks, C)
    out = lazy.dot(embeddings)
    assert out.shape == (2 * batch, masks, 16, 24)
    close(out, dot(whole_of(lazy), embeddings))


def test_few_masks_do_not_make_the_whole_and_many_do() -> None:
    lazy = features(3)
    lazy.dot(torch.randn(1, 3, C))
    assert not lazy._kept
    lazy.dot(torch.randn(1, C, C))
    assert lazy._kept


def test_masks_are_made_some_at_a_time_and_each_is_right() -> None:
    torch.manual_seed(3)
    wide = MaskFeatures(torch.randn(1, 4, 6, 5), torch.randn(5 * MASKS, 4, 3, 3))
    embeddings = torch.randn(1, 2 * MASKS + 1, 5 * MASKS)
    out = wide.dot(embeddings)
    assert not wide._kept
    torch.testing.assert_close(out, dot(whole_of(wide), embeddings), atol=1e-3, rtol=1e-3)


def test_memory_formats_give_the_same_values() -> None:
    lazy = features(3)
    moved = MaskFeatures(lazy.fine.contiguous(memory_format=torch.channels_last), lazy.weight, lazy.bias)
    embeddings = torch.randn(1, 2, C)
    close(moved.dot(embeddings), lazy.dot(embeddings))
    close(moved.resized([(4, 6)])[0], lazy.resized([(4, 6)])[0])


def test_training_gets_gradients_through_every_part() -> None:
    with torch.enable_grad():
        lazy = features(3)
        assert lazy.weight is not None
        with torch.no_grad():
            assert not lazy.whole.requires_grad  # a round without gradient came first
        xy, weights = torch.rand(1, 4, 2), torch.full((1, 4), 0.25)
        parts = (lazy.resized([(4, 6)])[0], lazy.mean_at(xy, weights), lazy.dot(torch.randn(1, 1, C)))
        for part in parts:
            (gradient,) = torch.autograd.grad(part.sum(), lazy.weight, retain_graph=True)
            assert gradient.abs().sum() > 0

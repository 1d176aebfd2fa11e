"""The pyramid makes what a trunk lacks of the nearest that it has, and leaves the rest alone."""

import pytest
import torch

from seemkit_backbones.pyramid import STRIDES, Pyramid, nearest_source, pyramid_channels

SOURCES = [{16: 24}, {8: 12}, {32: 40}, {4: 6}, {16: 8, 32: 10}, {4: 5, 8: 6, 16: 7}, {8: 6, 32: 9}]


@pytest.mark.parametrize("sources", SOURCES, ids=str)
def test_four_maps_come_at_their_strides_with_the_channels_that_are_declared(sources: dict[int, int]) -> None:
    maps = {stride: torch.randn(2, c, 64 // stride, 96 // stride) for stride, c in sources.items()}
    out = Pyramid(sources, 20)(maps)
    channels = pyramid_channels(sources, 20)
    assert [tuple(x.shape) for x in out] == [
        (2, c, 64 // stride, 96 // stride) for c, stride in zip(channels, STRIDES, strict=True)
    ]


def test_a_map_that_is_there_is_given_as_it_is() -> None:
    maps = {8: torch.randn(1, 6, 8, 8), 16: torch.randn(1, 7, 4, 4)}
    pyramid = Pyramid({8: 6, 16: 7}, 20)
    _, at8, at16, _ = pyramid(maps)
    assert at8 is maps[8]
    assert at16 is maps[16]
    assert pyramid_channels({8: 6, 16: 7}, 20) == (20, 6, 7, 20)
    assert {name.split(".")[1] for name, _ in pyramid.named_parameters()} == {"0", "3"}


def test_a_pyramid_of_everything_has_nothing_to_learn() -> None:
    sources = {4: 3, 8: 4, 16: 5, 32: 6}
    assert list(Pyramid(sources, 20).parameters()) == []
    assert pyramid_channels(sources, 20) == (3, 4, 5, 6)


@pytest.mark.parametrize(
    ("stride", "sources", "nearest"),
    [(4, (8, 16), 8), (32, (8, 16), 16), (8, (16, 32), 16), (16, (8, 32), 32), (8, (8, 16), 8)],
)
def test_the_nearest_is_taken_and_of_two_the_coarser(
    stride: int, sources: tuple[int, ...], nearest: int
) -> None:
    assert nearest_source(stride, dict.fromkeys(sources, 1)) == nearest

"""The folded step of the pyramid against the plain one, whose definition is the expected value."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from seemkit.network import folded_merge as room
from seemkit.network.folded_merge import affine_of, folded_merge, pays

C = 32


@pytest.fixture(autouse=True)
def no_grad() -> Iterator[None]:
    with torch.no_grad():
        yield


def layers(channels: int, seed: int = 0) -> tuple[nn.Conv2d, nn.GroupNorm, nn.Conv2d]:
    torch.manual_seed(seed)
    norm = nn.GroupNorm(8, C)
    nn.init.normal_(norm.weight, 1, 0.3)
    nn.init.normal_(norm.bias)
    return nn.Conv2d(channels, C, 1, bias=False), norm, nn.Conv2d(C, C, 3, padding=1, bias=False)


def plain(
    lateral: nn.Conv2d, norm: nn.GroupNorm, output: nn.Conv2d, feature: Tensor, above: Tensor
) -> Tensor:
    up = functional.interpolate(above, size=feature.shape[-2:], mode="nearest")
    out: Tensor = output(norm(lateral(feature)) + up)
    return out


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("cells", [(1, 1), (1, 5), (6, 2), (7, 9)])
def test_it_equals_the_plain_step_at_every_cell_borders_included(batch: int, cells: tuple[int, int]) -> None:
    given = layers(6)
    # the lateral's mean is far from zero, where a one-pass variance would lose its digits
    feature = torch.randn(batch, 6, 2 * cells[0], 2 * cells[1]) + 20
    above = torch.randn(batch, C, *cells)
    torch.testing.assert_close(
        folded_merge(*given, feature, above), plain(*given, feature, above), atol=2e-4, rtol=1e-4
    )


def test_the_norm_is_affine_with_the_statistics_of_each_image() -> None:
    lateral, norm, _ = layers(5)
    x = torch.randn(1, 5, 8, 6) * torch.tensor([1.0, 3, 0.1, 7, 2])[:, None, None]
    scale, shift = affine_of(norm, lateral.weight[:, :, 0, 0], x)
    torch.testing.assert_close(
        lateral(x) * scale[:, None, None] + shift[:, None, None], norm(lateral(x)), atol=1e-4, rtol=1e-4
    )


def test_it_is_taken_only_where_it_is_exact_and_pays() -> None:
    lateral, _, output = layers(6)
    feature, above = torch.empty(1, 6, 64, 64), torch.empty(1, C, 32, 32)
    assert pays(lateral, output, feature, above)
    assert not pays(lateral, output, feature, torch.empty(1, C, 31, 32))  # not doubled
    assert not pays(lateral, output, feature[..., :8, :8], above[..., :4, :4])  # too small
    assert not pays(layers(C)[0], output, torch.empty(1, C, 64, 64), above)  # as many channels as it gives
    assert not pays(lateral.half(), output, feature.half(), above)
    with torch.enable_grad():
        assert not pays(layers(6)[0], output, feature, above)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not pays(layers(6)[0], output, feature, above)


def test_multiplications_are_what_the_rewrite_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    # 4/9 of the plain step for the map below, and the share of channels for the lateral (speed.md of SEEM's facts:
    # 77 to 51 GFLOP for 96 of 512 channels); what folding the filters costs does not grow with the map
    from torch.utils.flop_counter import FlopCounterMode

    given = layers(6)
    feature, above = torch.randn(1, 6, 128, 128), torch.randn(1, C, 64, 64)
    with FlopCounterMode(display=False) as folded:
        folded_merge(*given, feature, above)
    with FlopCounterMode(display=False) as straight:
        plain(*given, feature, above)
    share = folded.get_total_flops() / straight.get_total_flops()
    assert share < 4 / 9 + 6 / C + 0.03
    assert share < room.COST_LIMIT

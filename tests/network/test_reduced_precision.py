"""Parts that stay in single precision when maps are kept in half of it, held to torch's own operations."""

import pytest
import torch

from seemkit.network.position import sine_position
from seemkit.network.precision import at_least_single, autocast_kind, full_precision
from seemkit.network.resampling import bilinear, gather


@pytest.mark.parametrize(("h", "w"), [(7, 5), (1, 4), (4, 1), (1, 1), (16, 16)])
def test_gathering_four_cells_is_grid_sample(h: int, w: int) -> None:
    # expected: torch's grid_sample, places beyond the border included
    torch.manual_seed(0)
    feature = torch.randn(2, 3, h, w)
    xy = torch.cat(
        (torch.rand(4, 9, 2) * 1.6 - 0.3, torch.tensor([[[0.0, 0.0], [1.0, 1.0]]]).expand(4, -1, -1)), 1
    )
    found = gather(feature, xy.view(2, 22, 2)).reshape(4, 11, 3)
    torch.testing.assert_close(found, bilinear(feature, xy), atol=2e-5, rtol=1e-5)


def test_half_maps_are_sampled_at_places_of_single_precision() -> None:
    torch.manual_seed(0)
    feature, xy = torch.randn(1, 3, 40, 40).bfloat16(), torch.rand(1, 50, 2)
    found = bilinear(feature, xy)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, bilinear(feature.float(), xy), atol=2e-5, rtol=1e-5)
    assert bilinear(feature, xy[:, :0]).dtype == torch.float32


def test_positions_are_computed_in_single_precision() -> None:
    like = torch.zeros(1)
    assert torch.equal(sine_position(8, 5, 7, like.bfloat16()), sine_position(8, 5, 7, like))
    assert sine_position(8, 5, 7, like.double()).dtype == torch.float64


def test_full_precision_switches_autocast_off_and_on_again() -> None:
    one = torch.ones(2, 2)
    with torch.autocast("cpu", torch.bfloat16):
        with full_precision(one.device):
            assert (one @ one).dtype == torch.float32
        assert (one @ one).dtype == torch.bfloat16


def test_devices_without_autocast_count_as_the_cpu() -> None:
    assert autocast_kind(torch.device("meta")) == "cpu"
    assert autocast_kind(torch.device("cuda:1")) == "cuda"
    assert at_least_single(torch.zeros(1).half()).dtype == torch.float32

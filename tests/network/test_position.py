"""The sine position encoding, against its formula written out cell by cell."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seemkit.network.position import sine_position

LIKE = torch.zeros(())


@settings(max_examples=20, deadline=None)
@given(quarter=st.integers(1, 8), h=st.integers(1, 9), w=st.integers(1, 9), data=st.data())
def test_every_value_is_that_of_the_formula(quarter: int, h: int, w: int, data: st.DataObject) -> None:
    dim = 4 * quarter
    k, row, column = (data.draw(st.integers(0, n - 1)) for n in (dim, h, w))
    place, n = (row, h) if k < dim // 2 else (column, w)
    j = k % (dim // 2)
    angle = 2 * math.pi * (place + 1) / (n + 1e-6) / 10000 ** (2 * (j // 2) / (dim // 2))
    expected = math.cos(angle) if j % 2 else math.sin(angle)
    assert sine_position(dim, h, w, LIKE)[k, row, column].item() == pytest.approx(expected, abs=1e-5)


def test_dtype_and_device_follow_the_given_tensor() -> None:
    out = sine_position(8, 3, 4, torch.zeros((), dtype=torch.float64, device="meta"))
    assert (out.shape, out.dtype, out.device.type) == ((8, 3, 4), torch.float64, "meta")


def test_a_width_that_is_no_multiple_of_four_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 4, not 6"):
        sine_position(6, 2, 2, LIKE)

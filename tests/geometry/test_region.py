"""A region is a 2-D bool array and nothing else."""

import numpy as np
import pytest

from seemkit.geometry.region import Region


@pytest.mark.parametrize(
    ("mask", "given"),
    [
        ([[True]], "not a list"),
        (None, "not a NoneType"),
        (np.ones((2, 3)), r"not float64 of shape \(2, 3\)"),
        (np.ones(3, bool), r"not bool of shape \(3,\)"),
    ],
)
def test_anything_else_is_refused_with_what_was_given(mask: object, given: str) -> None:
    with pytest.raises(TypeError, match=f"a region is a 2-D bool array, {given}"):
        Region(mask)  # type: ignore[arg-type]


def test_the_pixels_of_a_region_cannot_be_changed() -> None:
    own = np.zeros((2, 2), bool)
    region = Region(own)
    own[0, 0] = True
    assert region.area == 0
    assert not region.mask.flags.writeable

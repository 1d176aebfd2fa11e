"""Simulated clicks against the original's (case v1_click): by its protocol the same, by that of RITM near them.

The original's distance transform is a chain of convolutions, and flat at the top; that of RITM's protocol is exact.
So the innermost pixel may differ by a few pixels. The shapes that the original draws are not made here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from seemkit.evaluation.protocols.clicker import Seen
from seemkit.evaluation.protocols.convolved_distance import convolved_distance
from seemkit.evaluation.protocols.original import OriginalClicker
from seemkit.geometry.grid import Grid
from seemkit.training.clicks import next_click


def test_the_distance_transform_of_the_originals_protocol_has_the_same_bits(
    golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    case = golden("focalt_v1_click")
    depth = convolved_distance(golden_inputs["gt1"])
    stride = case.meta["distance_transform_gt1"]["stride"]
    np.testing.assert_array_equal(depth.ravel()[::stride], case["distance_transform_gt1"])


@pytest.mark.parametrize(("k", "truth"), [(0, "gt1"), (1, "gt3")])
def test_clicks_of_the_originals_protocol_are_the_recorded_ones(
    k: int, truth: str, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    case, mask, box = golden("focalt_v1_click"), golden_inputs[truth], golden_inputs["box"]
    clicker = OriginalClicker(mask, np.zeros_like(mask), Grid(*mask.shape))
    first = clicker.next(None)
    second = clicker.next(Seen(box, lambda: box))
    drawn, later = case["Point/rand_shape"][k, 0], case["Point/rand_shape_round2"][k, 0]
    for click, square in ((first, drawn), (second, later & ~drawn)):
        assert click is not None
        assert click.positive
        row, column = np.argwhere(square).mean(axis=0)
        assert (click.x, click.y) == (column + 0.5, row + 0.5)


@pytest.mark.parametrize(("k", "truth"), [(0, "gt1"), (1, "gt3")])
def test_the_first_click_is_within_three_pixels_of_the_originals(
    k: int, truth: str, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    case, mask = golden("focalt_v1_click"), golden_inputs[truth]
    click = next_click(np.zeros_like(mask), mask, np.zeros_like(mask))
    assert click is not None
    assert click[2]
    assert distance(click, case["Point/rand_shape"][k, 0]) <= 3


def test_a_correction_is_within_three_pixels_of_the_originals(
    golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    # object 1 has its correction 31 pixels away: the original takes earlier clicks out of the area before it
    # measures depth, the protocol of RITM, which is seemkit's, only takes none of them again
    case, mask = golden("focalt_v1_click"), golden_inputs["gt1"]
    used = case["Point/rand_shape"][0, 0]
    click = next_click(golden_inputs["box"], mask, used)
    assert click is not None
    assert distance(click, case["Point/rand_shape_round2"][0, 0] & ~used) <= 3


def distance(click: tuple[int, int, bool], square: Any) -> float:
    """Pixels from a click to the centre of the square that the original drew."""
    row, column = np.argwhere(square).mean(axis=0)
    return float(np.hypot(click[0] - column, click[1] - row))

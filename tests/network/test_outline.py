"""The mask term that convolutions draw: nothing at first, nothing unasked, objects apart, and its box map."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from seemkit.network.mask_features import MaskFeatures
from seemkit.network.outline import HINTS, Outline, box_map
from seemkit.network.prepared import PreparedScene
from seemkit.network.sampler import PointBatch


@pytest.fixture
def outline() -> Outline:
    torch.manual_seed(0)
    return Outline(16, 8)


def drawn(outline: Outline) -> Outline:
    """With a last layer that is not zero, as after some training."""
    torch.nn.init.normal_(outline.drawn.weight)
    return outline


def scene(batch: int = 1) -> PreparedScene:
    generator = torch.Generator().manual_seed(batch)
    maps = tuple(torch.randn(batch, 16, 24 // s, 40 // s, generator=generator) for s in (8, 4, 2, 1))
    return PreparedScene(maps[:3], MaskFeatures(maps[3]), maps[:3], (), ())


def hints(objects: int) -> Tensor:
    return torch.randn(objects, HINTS, 12, 20, generator=torch.Generator().manual_seed(5))


def extents(*xy: tuple[float, float]) -> PointBatch:
    """Points of one object's extent, and one beside it that speaks against the object."""
    places = torch.tensor([[*xy, (0.99, 0.99)]])
    negative = torch.tensor([[False] * len(xy) + [True]])
    return PointBatch(places, negative, torch.ones_like(negative), torch.zeros_like(negative))


@torch.no_grad()
def test_a_new_one_adds_nothing(outline: Outline) -> None:
    assert not outline(scene(), hints(2), torch.tensor([True, True])).any()


@torch.no_grad()
def test_an_object_that_is_not_asked_for_gets_nothing(outline: Outline) -> None:
    logits = drawn(outline)(scene(), hints(2), torch.tensor([True, False]))
    assert logits.shape == (2, 24, 40)
    assert logits[0].abs().min() > 0
    assert not logits[1].any()


@torch.no_grad()
def test_objects_of_several_scenes_do_not_meet(outline: Outline) -> None:
    drawn(outline)
    both, asked, given_hints = scene(2), torch.ones(4, dtype=torch.bool), hints(4)
    together = outline(both, given_hints, asked)
    for i in range(2):
        alone = PreparedScene(
            tuple(x[i : i + 1] for x in both.levels),
            both.mask_features.pick([i]),
            tuple(x[i : i + 1] for x in both.small),
            (),
            (),
        )
        mine = outline(alone, given_hints[2 * i : 2 * i + 2], asked[:2])
        torch.testing.assert_close(mine, together[2 * i : 2 * i + 2], atol=1e-5, rtol=1e-5)


def test_every_parameter_learns_once_the_last_layer_is_not_zero(outline: Outline) -> None:
    drawn(outline)(scene(), hints(2), torch.tensor([True, True])).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in outline.parameters())


def test_a_box_covers_whole_cells_inside_and_parts_of_cells_at_its_edge() -> None:
    found = box_map(extents((0.25, 0.25), (0.65, 0.75)), (4, 10))[0]
    # 2.5 to 6.5 of ten columns, 1 to 3 of four rows
    across = torch.tensor([0, 0, 0.5, 1, 1, 1, 0.5, 0, 0, 0])
    torch.testing.assert_close(found, torch.tensor([0.0, 1, 1, 0])[:, None] * across, atol=1e-5, rtol=0)


@given(st.tuples(*[st.floats(0, 1, width=32)] * 4))
def test_the_cells_of_a_box_add_up_to_its_area(corners: tuple[float, float, float, float]) -> None:
    (x1, x2), (y1, y2) = sorted(corners[:2]), sorted(corners[2:])
    found = box_map(extents((x1, y1), (x2, y2)), (6, 9))
    assert float(found.sum()) == pytest.approx((x2 - x1) * (y2 - y1) * 54, abs=1e-4)


def test_without_extents_there_is_no_box() -> None:
    inside = extents((0.2, 0.2), (0.5, 0.5))
    exact = PointBatch(inside.xy, inside.negative, torch.zeros_like(inside.extent), inside.padding)
    assert not box_map(exact, (4, 4)).any()
    nobody = PointBatch(inside.xy, inside.negative, inside.extent, torch.ones_like(inside.padding))
    assert not box_map(nobody, (4, 4)).any()
    assert box_map(PointBatch(*(x[:, :0] for x in (inside.xy, *[inside.negative] * 3))), (4, 4)).shape == (
        1,
        4,
        4,
    )

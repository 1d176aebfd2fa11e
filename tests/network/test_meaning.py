"""The map that names are read from: expected values are written out cell by cell."""

import torch
from torch.nn import functional

from seemkit.components import BackboneShape
from seemkit.network.meaning import Closer, Meaning, Standard
from seemkit.network.pixel_decoder import FPN


def test_statistics_bring_channels_to_one_scale() -> None:
    torch.manual_seed(0)
    cells = torch.randn(500, 3) * torch.tensor([0.1, 1.0, 30.0]) + torch.tensor([5.0, 0.0, -20.0])
    standard = Standard(3)
    assert standard.is_blank
    same = cells[:4].T.view(1, 3, 2, 2)
    assert torch.equal(standard(same), same)
    standard.take(cells)
    assert not standard.is_blank
    found = standard(cells.T.view(1, 3, 20, 25)).flatten(2)[0]
    assert torch.allclose(found.mean(1), torch.zeros(3), atol=1e-3)
    assert torch.allclose(found.std(1), torch.ones(3), atol=2e-2)  # 0.001 is added to the deviation of 0.1


@torch.no_grad()
def test_a_cell_is_what_both_maps_show_there() -> None:
    torch.manual_seed(0)
    meaning = Meaning(3, 5, 4)
    meaning.standard[1].take(torch.randn(50, 5))
    middle, coarse = torch.randn(2, 3, 4, 6), torch.randn(2, 5, 2, 3)
    found = meaning(middle, coarse)
    assert found.shape == (2, 4, 4, 6)
    scaled = (coarse - meaning.standard[1].mean[:, None, None]) / meaning.standard[1].deviation[:, None, None]
    rough = functional.interpolate(scaled, size=(4, 6), mode="bilinear")
    for row, column in [(0, 0), (3, 5), (2, 1)]:
        expected = (
            meaning.middle.weight[:, :, 0, 0] @ middle[1, :, row, column]
            + meaning.middle.bias
            + meaning.coarse.weight[:, :, 0, 0] @ rough[1, :, row, column]
        )
        assert torch.allclose(found[1, :, row, column], expected.relu(), atol=1e-5)


@torch.no_grad()
def test_channels_can_be_left_out_of_each_picture_by_itself() -> None:
    torch.manual_seed(0)
    meaning, middle, coarse = Meaning(3, 5, 4), torch.randn(2, 3, 2, 2), torch.randn(2, 5, 1, 1)
    kept = torch.ones(2, 8)
    kept[1, 0], kept[1, 7] = 0, 0
    blind_middle, blind_coarse = middle.clone(), coarse.clone()
    blind_middle[1, 0], blind_coarse[1, 4] = 0, 0
    assert torch.allclose(meaning(middle, coarse, kept), meaning(blind_middle, blind_coarse), atol=1e-6)


@torch.no_grad()
def test_the_pyramid_makes_it_where_it_is_asked_for() -> None:
    shape = BackboneShape(channels=(6, 10, 14, 18))
    maps = [torch.randn(2, c, 64 // s, 96 // s) for c, s in zip(shape.channels, shape.strides, strict=True)]
    options = {"dim": 32, "encoder_layers": 0, "heads": 4, "ffn": 48, "groups": 8}
    with_it = FPN.build(FPN.Options(**options, meaning=20), shape)
    features = with_it(maps)
    assert features.meaning is not None
    assert features.meaning.shape == (2, 20, 4, 6)
    assert torch.equal(features.meaning, with_it.meaning(maps[2], maps[3]))  # type: ignore[misc]
    assert FPN.build(FPN.Options(**options), shape)(maps).meaning is None


@torch.no_grad()
def test_a_closer_look_adds_means_of_its_cells() -> None:
    torch.manual_seed(0)
    meaning, seen = Meaning(3, 5, 4, (6, 2)), torch.rand(1, 4, 3, 5)
    finer, same = torch.randn(1, 6, 6, 10), torch.randn(1, 2, 3, 5)
    first, second = meaning.closer
    assert isinstance(first, Closer)
    assert isinstance(second, Closer)
    row, column = 2, 3
    mean = finer[0, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean((1, 2))
    expected = (
        seen[0, :, row, column]
        + first.mixed.weight[:, :, 0, 0] @ mean
        + second.mixed.weight[:, :, 0, 0] @ same[0, :, row, column]
    )
    found = meaning.refine(seen, (finer, same))
    assert torch.allclose(found[0, :, row, column], expected.relu(), atol=1e-5)
    kept = torch.tensor([[1.0, 1, 1, 1, 1, 1, 0, 0]])
    assert torch.allclose(
        meaning.refine(seen, (finer, same), kept),
        meaning.refine(seen, (finer, torch.zeros_like(same))),
        atol=1e-6,
    )


@torch.no_grad()
def test_in_a_new_pyramid_a_closer_look_shows_nothing_new() -> None:
    shape = BackboneShape(channels=(6, 10, 14, 18), closer=(7,))
    options = {"dim": 32, "encoder_layers": 0, "heads": 4, "ffn": 48, "groups": 8}
    decoder = FPN.build(FPN.Options(**options, meaning=20, closer=3), shape)
    assert decoder.meaning is not None
    seen = torch.rand(2, 20, 4, 6)
    assert decoder.meaning.nearness == 3
    assert torch.equal(decoder.meaning.refine(seen, [torch.randn(2, 7, 8, 12)]), seen)
    plain = FPN.build(FPN.Options(**options, meaning=20), shape).meaning
    assert plain is not None
    assert not plain.closer
    assert plain.nearness == 0

"""Logits back to the original image: the padding is cut, the frame is kept."""

import pytest
import torch

from seemkit.geometry.grid import Grid
from seemkit.pipeline.upscale import mask_scores, masks_and_scores, upscale


def test_padding_is_cut_and_an_input_of_the_images_size_is_only_enlarged() -> None:
    logits = torch.randn(2, 16, 24)
    full = upscale(logits, Grid(50, 90), (64, 96))
    assert full.shape == (2, 50, 90)
    whole = torch.nn.functional.interpolate(logits[None], scale_factor=4, mode="bilinear")[0]
    torch.testing.assert_close(full, whole[:, :50, :90])


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_an_edge_stays_where_it_is(mode: str) -> None:
    # left half of the picture (80 of 96 padded columns), at half and at double the input's size
    logits = torch.full((1, 16, 24), -8.0)
    logits[..., :10] = 8.0
    for scale in (0.5, 2):
        image = (int(64 * scale), int(80 * scale))
        full = upscale(logits, Grid(64, 80, image), (64, 96), mode=mode)  # type: ignore[arg-type]
        assert full.shape == (1, *image)
        row = full[0, image[0] // 2] > 0
        assert int(row.sum()) == pytest.approx(40 * scale, abs=1)
        assert bool(row[: int(40 * scale) - 1].all())


def test_the_score_of_an_empty_mask_is_zero() -> None:
    logits = torch.stack((torch.full((4, 4), -3.0), torch.full((4, 4), 3.0)))
    logits[1, 0] = -3
    scores = mask_scores(logits)
    assert scores.tolist() == pytest.approx([0.0, float(torch.tensor(3.0).sigmoid())])


def test_a_pixel_without_a_number_is_in_no_mask_and_no_score() -> None:
    logits = torch.full((1, 4, 4), 3.0)
    logits[0, 0] = torch.nan
    assert mask_scores(logits).tolist() == pytest.approx([float(torch.tensor(3.0).sigmoid())])


@pytest.mark.parametrize("at_once", [1, 50 * 90 * 2, 10**9])
def test_masks_are_enlarged_a_few_at_a_time(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seemkit.pipeline.upscale.AT_ONCE", at_once)
    logits = torch.randn(5, 16, 24, generator=torch.Generator().manual_seed(0))
    grid = Grid(50, 90, (50, 90))
    masks, scores = masks_and_scores(logits, grid, (64, 96))
    full = upscale(logits, grid, (64, 96))
    assert torch.equal(masks, full > 0)
    torch.testing.assert_close(scores, mask_scores(full))

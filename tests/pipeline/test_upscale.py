"""Logits back to the original image: the padding is cut, the frame is kept."""

import pytest
import torch

from seemkit.geometry.grid import Grid
from seemkit.pipeline.upscale import mask_scores, upscale


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

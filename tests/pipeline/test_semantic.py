"""Semantic maps, some rows of pixels at a time, against all planes at once as SEEM makes them."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from seemkit import Model
from seemkit.geometry.grid import Grid
from seemkit.pipeline import semantic
from seemkit.pipeline.everything import Rows
from seemkit.pipeline.semantic import semantic_bands, semantic_map
from seemkit.pipeline.upscale import upscale

WORDS = ["dog", "cat", "grass", "sky"]


def some_rows(cells: tuple[int, int]) -> Rows:
    torch.manual_seed(0)
    return Rows(torch.randn(5, 4).softmax(-1), 3 * torch.randn(5, *cells))


def all_at_once(rows: Rows, grid: Grid, padded: tuple[int, int]) -> Tensor:
    """(K, H, W): what each query is, times where it is, background left out."""
    masks = upscale(rows.logits, grid, padded, mode="bicubic").sigmoid()
    return torch.einsum("qk,qhw->khw", rows.probabilities[:, :-1], masks)


@pytest.mark.parametrize(
    "original",
    [(48, 60), (131, 163), (97, 30), (20, 25), (1, 400)],
    ids=["the input's", "larger", "taller", "smaller", "a line"],
)
@pytest.mark.parametrize("pixels", [1, 500, 10**6], ids=["a row", "some rows", "all"])
def test_rows_of_pixels_at_a_time_are_those_of_all_planes(
    original: tuple[int, int], pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(semantic, "AT_ONCE", pixels)
    grid, padded, rows = Grid(48, 60, original), (64, 64), some_rows((16, 16))
    bands = list(semantic_bands(rows, grid, padded))
    assert all(band.shape[1] <= max(1, pixels // original[1]) for band in bands)
    expected = all_at_once(rows, grid, padded)
    torch.testing.assert_close(torch.cat(bands, 1), expected, atol=1e-5, rtol=1e-5)
    winner, best = semantic_map(rows, grid, padded)
    torch.testing.assert_close(best, expected.amax(0), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(expected.gather(0, winner[None])[0], best, atol=1e-5, rtol=1e-5)


def test_every_pixel_has_one_name(tiny_model: Callable[[str], Model], photo: NDArray[np.uint8]) -> None:
    result = tiny_model("seem_v0").everything(photo, vocabulary=WORDS, task="semantic")
    assert result.semantic is not None
    assert result.semantic.shape == photo.shape[:2]
    assert (result.masks.sum(0) == 1).all()
    for mask, ranked in zip(result.masks, result.labels, strict=True):
        assert set(result.semantic[mask].tolist()) == {WORDS.index(ranked[0][0])}

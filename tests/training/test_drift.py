"""Memory that drifts as in video: who is followed, and how far what is remembered moves."""

import numpy as np
import torch

from seemkit.training.cell import Cell
from seemkit.training.drift import drift, drifting
from seemkit.training.view import Target


def cell_of(seed: int, *, follows: bool) -> Cell:
    cell = Cell(Target(np.ones((64, 64), bool), 0), (64, 64), "visual", np.random.default_rng(seed))
    cell.reference = cell.follows = follows
    return cell


def blob() -> torch.Tensor:
    logits = torch.full((16, 16), -4.0)
    logits[5:11, 5:11] = 4.0
    return logits


def centre(logits: torch.Tensor) -> tuple[float, float]:
    rows, columns = (logits > 0).nonzero().double().mean(0).tolist()
    return rows, columns


def test_only_what_is_followed_moves_and_no_further_than_allowed() -> None:
    cells = [cell_of(seed, follows=seed % 2 == 0) for seed in range(40)]
    remembered = blob().expand(40, 16, 16).contiguous()
    moved = drift(remembered, cells, 0.1)
    far = []
    for before, after, cell in zip(remembered, moved, cells, strict=True):
        if not cell.follows:
            assert torch.equal(before, after)
            continue
        away = np.abs(np.subtract(centre(after), centre(before)))
        assert away.max() <= 0.1 * 16 + 1.0  # a cell of rounding
        far.append(away.max())
    assert max(far) > 0.5
    assert torch.equal(remembered[0], blob())  # what was given is not written to


def test_without_a_share_nobody_is_followed() -> None:
    cells = [cell_of(0, follows=True)]
    remembered = blob()[None]
    assert drifting(cells, 0.0) == [False]
    assert drift(remembered, cells, 0.0) is remembered

"""Deformable attention against a loop over points, and against cases worked out by hand."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from seemkit.network.deformable_attention import DeformableAttention, cell_centres, read

SIZES = [(2, 3), (3, 5), (4, 7)]


def sample(cells: NDArray[np.float64], x: float, y: float) -> NDArray[np.float64]:
    """(h, w, d) at (x, y) in units of cells, whose centres lie at halves; zeros outside."""
    h, w, d = cells.shape
    left, top = int(np.floor(x - 0.5)), int(np.floor(y - 0.5))
    out = np.zeros(d)
    for i in (top, top + 1):
        for j in (left, left + 1):
            weight = (1 - abs(y - 0.5 - i)) * (1 - abs(x - 0.5 - j))
            if 0 <= i < h and 0 <= j < w:
                out += weight * cells[i, j]
    return out


def reference(
    module: DeformableAttention, query: NDArray[np.float64], value: NDArray[np.float64]
) -> NDArray[np.float64]:
    """One image, one point at a time, by equation 3 of the paper."""
    w = {name: p.detach().double().numpy() for name, p in module.state_dict().items()}
    heads, points, (t, c) = module.heads, module.points, query.shape
    values = value @ w["value_proj.weight"].T + w["value_proj.bias"]
    offsets = (query @ w["sampling_offsets.weight"].T + w["sampling_offsets.bias"]).reshape(
        t, heads, len(SIZES), points, 2
    )
    scores = (query @ w["attention_weights.weight"].T + w["attention_weights.bias"]).reshape(t, heads, -1)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    starts = np.cumsum([0, *(h * w_ for h, w_ in SIZES)])
    centres = [
        ((j + 0.5) / columns, (i + 0.5) / rows)
        for rows, columns in SIZES
        for i in range(rows)
        for j in range(columns)
    ]
    out = np.zeros((t, heads, c // heads))
    for row in range(t):
        for head in range(heads):
            for level, (rows, columns) in enumerate(SIZES):
                part = values[starts[level] : starts[level + 1]].reshape(rows, columns, heads, -1)[:, :, head]
                for point in range(points):
                    dx, dy = offsets[row, head, level, point]
                    x, y = centres[row][0] * columns + dx, centres[row][1] * rows + dy
                    out[row, head] += weights[row, head, level * points + point] * sample(part, x, y)
    return np.asarray(out.reshape(t, c) @ w["output_proj.weight"].T + w["output_proj.bias"])


@torch.no_grad()
def test_it_is_the_papers_equation_one_point_at_a_time() -> None:
    torch.manual_seed(0)
    module = DeformableAttention(12, heads=3, levels=3, points=2)
    for p in module.parameters():
        nn.init.normal_(p, std=0.5)
    cells = sum(h * w for h, w in SIZES)
    query, value = torch.randn(2, cells, 12), torch.randn(2, cells, 12)
    found = module(query, value, cell_centres(SIZES, like=query), SIZES)
    for k in range(2):
        expected = reference(module, query[k].double().numpy(), value[k].double().numpy())
        np.testing.assert_allclose(found[k].numpy(), expected, atol=1e-5)
        assert np.abs(expected).max() > 1


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (0.25, 0.25, 1.0),  # the centre of the first cell of 2 x 2
        (0.75, 0.25, 2.0),
        (0.25, 0.75, 3.0),
        (0.5, 0.5, 2.5),  # the corner that all four share
        (0.0, 0.25, 0.5),  # half of the weight falls outside
        (0.0, 0.0, 0.25),
        (-0.25, 0.25, 0.0),
    ],
)
def test_samples_are_bilinear_between_centres_and_fade_to_zero_outside(
    x: float, y: float, expected: float
) -> None:
    cells = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    found = read(cells, torch.tensor([x, y]).view(1, 1, 1, 2), torch.ones(1, 1, 1))
    assert found.item() == pytest.approx(expected)


def test_samples_of_a_row_are_summed_by_weight() -> None:
    cells = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    places = torch.tensor([[0.25, 0.25], [0.75, 0.75]]).view(1, 1, 2, 2)
    assert read(cells, places, torch.tensor([0.25, 0.75]).view(1, 1, 2)).item() == pytest.approx(3.25)


def test_centres_are_x_then_y_row_after_row() -> None:
    found = cell_centres([(1, 2), (2, 1)], like=torch.empty(()))
    expected = torch.tensor([[0.25, 0.5], [0.75, 0.5], [0.5, 0.25], [0.5, 0.75]])
    torch.testing.assert_close(found, expected)


def test_new_heads_look_in_as_many_directions_from_one_cell_away() -> None:
    module = DeformableAttention(8, heads=4, levels=2, points=2)
    offsets = module.sampling_offsets.bias.view(4, 2, 2, 2)
    directions = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    for level in range(2):
        torch.testing.assert_close(offsets[:, level, 0], directions)
        torch.testing.assert_close(offsets[:, level, 1], 2 * directions)
    assert module.sampling_offsets.weight.eq(0).all()
    assert module.attention_weights.weight.eq(0).all()

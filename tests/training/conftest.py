"""A network of a few thousand weights and pictures of coloured rectangles to train it on."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from seemkit.network.network import Network
from seemkit.training.pictures import Instance, Picture
from seemkit.training.views import View

WORDS = ("red thing", "green thing", "blue thing")


def make_picture(seed: int, complete: bool = False) -> Picture:
    """Two rectangles of different colours on grey."""
    rng = np.random.default_rng(seed)
    image = np.full((80, 100, 3), 120, np.uint8)
    instances = []
    for n, left in enumerate((5, 55)):
        mask = np.zeros((80, 100), bool)
        top = int(rng.integers(5, 40))
        mask[top : top + 30, left : left + 35] = True
        colour = int(rng.integers(3))
        image[mask] = 40 + 200 * np.eye(3, dtype=np.uint8)[colour]
        instances.append(Instance(np.packbits(mask), WORDS[colour], f"{seed}-{n}"))
    return Picture(image, tuple(instances), str(seed), complete)


def normalise_views(views: Sequence[View]) -> Tensor:
    """(B, 3, S, S)."""
    pixels = torch.from_numpy(np.stack([view.image for view in views])).permute(0, 3, 1, 2)
    return (pixels.float() - 127) / 128


@pytest.fixture
def new_network(new_model: Callable[..., object]) -> Callable[..., Network]:
    """`new_network("nano")`: a tiny network that wants gradients."""

    def build(preset: str = "nano", seed: int = 0) -> Network:
        network: Network = new_model(preset, seed=seed).network  # type: ignore[attr-defined]
        return network.requires_grad_(True).train()

    return build


@pytest.fixture
def pictures() -> list[Picture]:
    """Six pictures, two of them completely annotated."""
    return [make_picture(seed, complete=seed % 3 == 0) for seed in range(6)]


@pytest.fixture
def normalise() -> Callable[[Sequence[View]], Tensor]:
    return normalise_views

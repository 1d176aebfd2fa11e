"""Pictures of coloured rectangles as a data set, a network of a few thousand weights, and batches of both."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from seemkit.data.dataset import DatasetInfo, IndexedDataset
from seemkit.data.sample import Category, Sample, SampleObject
from seemkit.network.network import Network
from seemkit.training.augment import Augment
from seemkit.training.batch import Batch
from seemkit.training.cell import Asker
from seemkit.training.name_tables import NameTables
from seemkit.training.objective import Objective, Step
from seemkit.training.recipe.sections import AugmentSection, ObjectiveSection, PointsSection, SharesSection
from seemkit.training.sources import OpenSource
from tests.pairs import write_pairs

SIZE = 96
WORDS = ("red thing", "green thing", "blue thing")
EVERY_WAY = SharesSection(prompt=0.4, reference=0.2, text=0.2, mixed=0.2)
FEW_POINTS = PointsSection(matching=200, loss=100)
STILL = AugmentSection(zoom=(1.0, 1.0), flip=0.0, colour=0.0)


def make_sample(seed: int, complete: bool = True) -> Sample:
    """Two rectangles of different colours on grey, 100 x 80 pixels (width x height)."""
    rng = np.random.default_rng(seed)
    image = np.full((80, 100, 3), 120, np.uint8)
    objects = []
    colours = rng.permutation(3)
    for n, left in enumerate((5, 55)):
        mask = np.zeros((80, 100), bool)
        top = int(rng.integers(5, 40))
        mask[top : top + 30, left : left + 35] = True
        colour = int(colours[n])
        image[mask] = 40 + 200 * np.eye(3, dtype=np.uint8)[colour]
        objects.append(SampleObject(mask, WORDS[colour], key=f"{seed}-{n}"))
    return Sample(f"{seed}.png", image, tuple(objects), size=(80, 100), complete=complete)


class Rectangles(IndexedDataset):
    """Pictures of two rectangles; some may be broken."""

    def __init__(self, count: int = 6, broken: Sequence[int] = (), empty: Sequence[int] = ()) -> None:
        super().__init__(self.Options())
        self.count = count
        self.broken = tuple(broken)
        self.empty = tuple(empty)

    @property
    def info(self) -> DatasetInfo:
        return DatasetInfo("rectangles", tuple(map(Category, WORDS)), "CC0", complete=True)

    def all_keys(self) -> Sequence[str]:
        return [f"{n}.png" for n in range(self.count)]

    def read(self, key: str) -> Sample:
        number = int(key.removesuffix(".png"))
        if number in self.broken:
            raise OSError(f"{key} is gone")
        sample = make_sample(number)
        if number in self.empty:
            blank = np.zeros((80, 100), bool)
            objects = tuple(SampleObject(blank, each.name, key=each.key) for each in sample.objects)
            return Sample(key, sample.image, objects, size=(80, 100), complete=True)
        return sample


def open_source(dataset: IndexedDataset, share: float = 1.0) -> OpenSource:
    return OpenSource("rectangles", dataset, dataset.subset([]), share, WORDS)


@pytest.fixture
def new_source() -> Callable[..., OpenSource]:
    """`new_source(6, broken=[1])`: an open data set of rectangles."""
    return lambda *given, **more: open_source(Rectangles(*given, **more))


@pytest.fixture
def new_network(new_model: Callable[..., Any]) -> Callable[..., Network]:
    """`new_network("nano")`: a tiny network that wants gradients, its text encoder frozen."""

    def build(preset: str = "nano", seed: int = 0) -> Network:
        network: Network = new_model(preset, seed=seed).network
        network.requires_grad_(True).train()
        network.text_encoder.requires_grad_(False)
        network.image_encoder.eval()
        return network

    return build


@pytest.fixture
def new_objective(
    new_network: Callable[..., Network], new_model: Callable[..., Any]
) -> Callable[..., Objective]:
    """`new_objective("nano", rounds=0)`: the objective of a tiny network; options go to the recipe's section."""

    def build(
        preset: str = "nano", network: Network | None = None, size: int = SIZE, **options: Any
    ) -> Objective:
        preprocess = new_model(preset).preprocess
        network = network or new_network(preset)
        section = ObjectiveSection(**{"points": FEW_POINTS, "shares": EVERY_WAY, **options})
        return Objective(network, preprocess, section, NameTables(network, [WORDS], [[2, 2, 2]]), size)

    return build


@pytest.fixture
def new_batch() -> Callable[..., Batch]:
    """`new_batch([1, 2], prompts={Point: 1.0})`: pairs of views of two pictures, with two objects each."""

    def build(
        seeds: Sequence[int] = (1, 2),
        kinds: Any = None,
        shares: SharesSection = EVERY_WAY,
        options: AugmentSection = STILL,
        count: int = 2,
        pair: bool = True,
        size: int = SIZE,
        draws: int = 0,
        nearness: int = 0,
    ) -> Batch:
        asker = Asker(spatial_kinds() if kinds is None else kinds, shares)
        augment = Augment(options, size, count, nearness=nearness)
        parts = []
        for seed in seeds:
            sample = make_sample(seed)
            first = augment.view(sample, seed)
            assert first is not None
            views = (first, augment.again(sample, first, seed + 1000) or first) if pair else (first,)
            rng = np.random.default_rng([seed, draws])
            cells = [cell for view in views for cell in asker.cells(view, rng, partner=pair)]
            parts.append(Batch(views, tuple(cells), tuple(seed + k for k in range(len(views))), pair))
        return Batch.join(parts)

    return build


def spatial_kinds() -> dict[Any, float]:
    from seemkit.prompting.prompt import SpatialPrompt
    from seemkit.prompting.read import prompt_types

    return {kind: 1.0 for kind in prompt_types().values() if issubclass(kind, SpatialPrompt)}


@pytest.fixture
def step_of() -> Callable[..., Step]:
    """`step_of(objective, batch, rounds=1)`: the step of one batch alone."""
    return lambda objective, batch, rounds=1, number=0: Step(number, rounds, objective.divisors(batch))


@pytest.fixture
def total() -> Callable[[dict[str, torch.Tensor]], torch.Tensor]:
    return lambda terms: torch.stack(list(terms.values())).sum()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder `photos` with twelve pictures of a rectangle and their masks."""
    samples = [make_sample(number) for number in range(12)]
    pairs = ((np.asarray(s.image), s.objects[0].read_mask().astype(np.uint8) * 255) for s in samples)
    return write_pairs(tmp_path / "photos", pairs)


@pytest.fixture
def tiny_yaml(tmp_path: Path, assembly: Callable[..., dict[str, Any]]) -> Path:
    """A file with the tiny assembly of the preset nano."""
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump({"seemkit": 1, **assembly("nano")}))
    return path

"""The objective: what it teaches is what the pipeline does, it reaches all that is learned, and a step lowers it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seemkit import Model
from seemkit.api import Prompt
from seemkit.components import PixelFeatures
from seemkit.geometry.grid import Grid
from seemkit.imaging.preprocess import Preprocess
from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.prompting.prompt import SpatialPrompt
from seemkit.prompting.read import prompt_types
from seemkit.prompts import Box, Point, Text
from seemkit.training.objective import Cell, Objective, log_shares
from seemkit.training.pictures import Picture
from seemkit.training.views import View, random_view

SIZE = 96
SPATIAL = [kind for kind in prompt_types().values() if issubclass(kind, SpatialPrompt)]
EVERY_WAY = (("spatial", 0.4), ("reference", 0.2), ("text", 0.2), ("mixed", 0.2))
NAMES = {"red thing": 2, "green thing": 2, "blue thing": 2}


@pytest.fixture
def views(pictures: Sequence[Picture]) -> list[View]:
    """Two pictures, each seen twice with its two objects."""
    return [random_view(pictures[i], SIZE, 2, np.random.default_rng(i)) for i in (1, 2)] * 2


@pytest.fixture
def features(
    normalise: Callable[[Sequence[View]], Tensor],
) -> Callable[[Network, Sequence[View]], PixelFeatures]:
    return lambda network, views: network.encode(normalise(views))


Features = Callable[[Network, Sequence[View]], PixelFeatures]


def prepare(network: Network, given: PixelFeatures) -> PreparedScene:
    return network.decoder.prepare(given.levels, network.mask_features(given.fine))


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("preset", ["seem_v0", "seem_v1", "seem_demo", "nano"])
def test_one_step_lowers_the_loss(
    new_network: Callable[..., Network], features: Features, views: list[View], preset: str
) -> None:
    network = new_network(preset)
    objective = Objective(network, SPATIAL, rounds=0, points=200, names=NAMES)
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=1e-3)

    def loss() -> Tensor:
        return torch.stack([*objective(features(network, views), views, SIZE, rng()).values()]).sum()

    before = loss()
    assert torch.isfinite(before)
    before.backward()
    optimizer.step()
    assert loss().item() < before.item()


def test_the_same_draws_give_the_same_losses(
    new_network: Callable[..., Network], features: Features, views: list[View]
) -> None:
    network = new_network()
    objective = Objective(network, SPATIAL, names=NAMES, shares=EVERY_WAY)
    one, two, other = (
        objective(features(network, views), views, SIZE, draws)
        for draws in (rng(), rng(), np.random.default_rng(8))
    )
    assert {k: v.item() for k, v in one.items()} == {k: v.item() for k, v in two.items()}
    assert one["bce"].item() != other["bce"].item()


def test_every_learned_part_is_reached(
    new_network: Callable[..., Network], features: Features, pictures: Sequence[Picture]
) -> None:
    network = new_network()
    network.text_encoder.requires_grad_(False)
    objective = Objective(network, SPATIAL, names=NAMES, shares=EVERY_WAY, points=100)
    complete = [random_view(pictures[i], SIZE, 2, np.random.default_rng(i)) for i in (0, 3)] * 2
    assert complete[0].visible is not None
    for step in range(12):
        losses = objective(features(network, complete), complete, SIZE, np.random.default_rng(step))
        torch.stack([*losses.values()]).sum().backward()  # type: ignore[no-untyped-call]
    assert set(losses) == {"bce", "dice", "selection", "label", "object_class", "object_mask"}
    missed = {n for n, p in network.named_parameters() if p.requires_grad and not has_gradient(p)}
    # timm starts residual branches at zero, so what lies behind their last norm waits for the first step
    assert {n for n in missed if not n.startswith("image_encoder.")} == set()
    assert not {n for n in missed if n.startswith("image_encoder.trunk.conv1.")}


def has_gradient(parameter: torch.nn.Parameter) -> bool:
    return parameter.grad is not None and bool(parameter.grad.any())


def test_rounds_before_the_last_leave_no_gradient_and_give_memory(
    new_network: Callable[..., Network],
    features: Features,
    views: list[View],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = new_network()
    seen: list[tuple[list[str], bool]] = []
    forward = network.decoder.forward

    def spy(scene: Any, rows: Any, *given: Any, **more: Any) -> Any:
        decoded = forward(scene, rows, *given, **more)
        seen.append(([batch.role for batch in rows], decoded.queries.requires_grad))
        return decoded

    monkeypatch.setattr(network.decoder, "forward", spy)
    objective = Objective(network, SPATIAL, rounds=3, points=50, shares=(("spatial", 1.0),))
    longest = 0
    for step in range(8):
        seen.clear()
        objective(features(network, views), views, SIZE, np.random.default_rng(step))
        assert [gradient for _, gradient in seen] == [False] * (len(seen) - 1) + [True]
        assert ["memory" in roles for roles, _ in seen] == [False] + [True] * (len(seen) - 1)
        longest = max(longest, len(seen))
    assert longest == 4


def test_a_click_corrects_every_round(
    new_network: Callable[..., Network],
    features: Features,
    views: list[View],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = new_network()
    objective = Objective(network, SPATIAL, points=50, shares=(("spatial", 1.0),))
    kept: list[list[Cell]] = []
    make = objective._cells
    monkeypatch.setattr(objective, "_cells", lambda *given: kept.append(make(*given)) or kept[-1])
    for step in range(6):
        objective(features(network, views), views, SIZE, np.random.default_rng(step))
    clicks = [region for cells in kept for cell in cells for region in cell.regions[1:]]
    assert clicks
    assert all(region.area <= 9 for region in clicks)
    for cells in kept:
        for cell in cells:
            for region in cell.regions[1:]:
                rows, columns = np.nonzero(region.mask)
                y, x = int(np.median(rows)), int(np.median(columns))
                if region.area == 9:
                    assert cell.truth[y, x] == region.include
    assert {region.include for region in clicks} == {True, False}


def test_a_reference_is_the_object_in_the_partner_view(
    new_network: Callable[..., Network], features: Features, pictures: Sequence[Picture]
) -> None:
    # only the second views are changed: what is asked of the first ones changes with them
    network = new_network()
    objective = Objective(network, SPATIAL, rounds=0, points=50, shares=(("reference", 1.0),))
    first = [random_view(pictures[i], SIZE, 2, np.random.default_rng(i)) for i in (1, 2)]
    cells = objective._cells(first * 2, SIZE, rng())
    assert all(not cell.regions for cell in cells)
    scene = prepare(network, features(network, first * 2))
    tokens = objective._reference(scene, cells, SIZE, 4)
    assert tokens is not None
    assert torch.equal(tokens.anchor[:4], tokens.anchor[4:])  # both halves show the same views here
    cells[0].truth = ~cells[0].truth
    changed = objective._reference(scene, cells, SIZE, 4)
    assert changed is not None
    differs = (tokens.anchor != changed.anchor).any(1).tolist()
    assert differs == [i == 4 for i in range(8)]  # cell 0 is what cell 4 is asked with


def test_texts_of_two_objects_with_one_name_are_not_asked_for(
    new_network: Callable[..., Network], pictures: Sequence[Picture]
) -> None:
    objective = Objective(new_network(), SPATIAL, shares=(("text", 1.0),))
    for picture in pictures:
        view = random_view(picture, SIZE, 2, np.random.default_rng(0))
        names = [instance.name for instance in picture.instances]
        modes = {cell.mode for cell in objective._cells([view], SIZE, rng())}
        assert modes == ({"spatial"} if len(set(names)) == 1 else {"text"})


CASES: dict[str, list[Prompt]] = {
    "click": [Point(x=30.5, y=40.5)],
    "clicks": [Point(x=30.5, y=40.5), Point(x=70.5, y=20.5), Point(x=50.5, y=80.5, include=False)],
    "small box": [Box(x1=20, y1=30, x2=27, y2=36)],
    "text": [Text(text="red thing")],
    "mixed": [Point(x=30.5, y=40.5), Text(text="red thing")],
}


@pytest.mark.parametrize("rounds", [1, 2])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("preset", ["seem_v1", "nano"])
@torch.no_grad()
def test_training_decodes_what_the_pipeline_decodes(
    new_network: Callable[..., Network], photo: Any, preset: str, case: str, rounds: int
) -> None:
    network = new_network(preset).eval()
    preprocess = Preprocess(short=None, long=None, mean=(127, 127, 127), std=(128, 128, 128))
    model = Model(network, preprocess)
    image = np.ascontiguousarray(np.concatenate((photo, photo[:24])))  # 96 x 96
    session = model.session(image).add(*CASES[case])
    pixels = (torch.from_numpy(image).permute(2, 0, 1)[None].float() - 127) / 128
    features = network.encode(pixels)
    scene = prepare(network, features)
    regions = [p.region(Grid(SIZE, SIZE)) for p in CASES[case] if isinstance(p, SpatialPrompt)]
    text = next((p.text for p in CASES[case] if isinstance(p, Text)), None)
    mode = ("mixed" if regions else "text") if text else "spatial"
    cell = Cell(np.zeros((SIZE, SIZE), bool), mode, regions, text=text)
    objective, previous = Objective(network, SPATIAL), None
    for turn in range(rounds):
        decoded, selection, _ = objective._decode(scene, [cell], SIZE, previous, 1)
        best = selection.argmax(1)
        previous = decoded.masks(scene, decoded.mask_embeddings[:, best[0]][:, None])[:, 0]
        if turn:
            session.add(CASES[case][0])  # nothing new, but another round
        result = session.result()
        np.testing.assert_allclose(result.logits, previous.numpy(), atol=2e-4)
        assert result.selection is not None
        assert result.selection[0] == pytest.approx(float(selection.softmax(1)[0, best[0]]), abs=1e-4)


def test_rare_names_weigh_less_in_the_prior() -> None:
    found = log_shares([8, 0])
    assert torch.allclose(found.exp(), torch.tensor([0.9, 0.1]))  # one is added to each count
    assert log_shares([]).shape == (0,)

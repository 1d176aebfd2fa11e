"""The prompted pass: it is what the pipeline does, and every prompt type that can be simulated takes part."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pytest
import torch
from torch import nn

from seemkit import Model, api
from seemkit.geometry.grid import Grid
from seemkit.imaging.preprocess import Preprocess
from seemkit.pipeline import compose
from seemkit.prompting.prompt import Prompt, SpatialPrompt, TokenPrompt
from seemkit.prompts import Box, Point, Text
from seemkit.training.anchors import choices
from seemkit.training.asking import Asking
from seemkit.training.batch import normalise
from seemkit.training.cell import Cell
from seemkit.training.objective import Objective
from seemkit.training.recipe.sections import ObjectiveSection, QueriesSection, SharesSection
from seemkit.training.view import Target

New = Callable[..., Any]
CASES: dict[str, list[Prompt]] = {
    "click": [Point(x=30.5, y=40.5)],
    "clicks": [Point(x=30.5, y=40.5), Point(x=70.5, y=20.5), Point(x=50.5, y=60.5, include=False)],
    "small box": [Box(x1=20, y1=30, x2=27, y2=36)],
    "text": [Text(text="red thing")],
    "mixed": [Point(x=30.5, y=40.5), Text(text="red thing")],
}


def cell_of(prompts: list[Prompt], grid: Grid) -> Cell:
    blank = np.zeros((96, 96), bool)
    cell = Cell(Target(blank, 0), grid.size, "visual", np.random.default_rng(0))
    for prompt in prompts:
        if isinstance(prompt, SpatialPrompt):
            region = prompt.region(grid)
            cell.regions.append(api.Region(region.mask, prompt.include, region.kind))
        elif isinstance(prompt, TokenPrompt):
            cell.prompts.append(prompt)
    return cell


@pytest.mark.parametrize("rounds", [1, 2])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("preset", ["seem_v1", "nano"])
@torch.no_grad()
def test_training_decodes_what_the_pipeline_decodes(
    new_objective: New, photo: Any, preset: str, case: str, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "CLICKS", 1)  # in training words click once
    preprocess = Preprocess(short=None, long=None, mean=(127, 127, 127), std=(128, 128, 128))
    objective: Objective = new_objective(preset, region_points=512)
    network = objective.network.eval()
    session = Model(network, preprocess).session(photo).add(*CASES[case])  # 72 x 96, padded to 96 x 96
    scene = session.scene
    meaning = None if scene.meaning is None else scene.meaning[None]
    features = api.PixelFeatures(tuple(x[None] for x in scene.levels), scene.fine[None], meaning)  # type: ignore[arg-type]
    prepared = network.decoder.prepare(features.levels, network.mask_features(features.fine), meaning)
    ask: Asking = objective.asking(prepared, features, [cell_of(CASES[case], scene.grid)])
    previous = None
    for turn in range(rounds):
        previous = objective.answer(ask, ask(previous))
        if turn:
            session.add(CASES[case][0])  # nothing new, but another round
        np.testing.assert_allclose(session.result().logits, previous.numpy(), atol=2e-4)


@torch.no_grad()
def test_words_click_on_their_object_alone(
    new_objective: New, new_batch: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective: Objective = new_objective("nano")
    network = objective.network.eval()
    batch = new_batch(shares=SharesSection(prompt=0, reference=0, text=1, mixed=0), pair=False)
    features = network.encode(normalise(batch.views, objective.preprocess, network.device))
    prepared = network.decoder.prepare(
        features.levels, network.mask_features(features.fine), features.meaning
    )
    peaks, found = network.words_peaks, []
    monkeypatch.setattr(
        network,
        "words_peaks",
        lambda *given, **more: found.append(peaks(*given, **more)) or found[-1],
    )
    objective.asking(prepared, features, batch.cells)(None)
    assert len(found[0]) == len(batch.cells)
    for (x, y), cell in zip((96 * found[0][:, 0]).tolist(), batch.cells, strict=True):
        near = cell.truth[max(int(y) - 8, 0) : int(y) + 8, max(int(x) - 8, 0) : int(x) + 8]
        assert near.mean() >= 0.4, "half of the cell"


class Halo(SpatialPrompt):
    """A type that no code of the training has heard of: all pixels within a radius."""

    type: Literal["halo"] = "halo"
    x: float
    y: float
    radius: float = 6.0

    def region(self, size: Grid) -> api.Region:
        rows, columns = np.mgrid[: size.height, : size.width] + 0.5
        return api.Region(np.hypot(columns - self.x, rows - self.y) <= self.radius, self.include)

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        point = api.simulate_click(mask, rng)
        return cls(x=point[0], y=point[1]) if point else None


class Colour(TokenPrompt):
    """A type with rows and weights of its own: how bright the object is said to be."""

    type: Literal["colour"] = "colour"
    amount: float
    excludes: ClassVar[bool] = False

    def encode(self, context: api.EncodeContext) -> api.Encoded:
        assert context.module is not None
        row = context.module(torch.tensor([[self.amount]]))
        return api.Encoded((api.Group("phrase", row),), (api.Anchor("mask", row[0], "phrase"),))

    @classmethod
    def build(cls, dims: api.Dims) -> nn.Module:
        return nn.Linear(1, dims.channels)

    @classmethod
    def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
        return cls(amount=float(mask.mean())) if mask.any() else None


ONLY_PROMPTS = SharesSection(prompt=1, reference=0, text=0, mixed=0)


def test_simulate_is_all_that_a_spatial_type_needs(new_objective: New, new_batch: New, step_of: New) -> None:
    objective: Objective = new_objective(objects=None)
    batch = new_batch(kinds={Halo: 1.0}, shares=ONLY_PROMPTS)
    assert all(90 < cell.regions[0].area < 130 for cell in batch.cells), "discs of radius 6"
    terms = objective(batch, step_of(objective, batch))
    assert terms["visual_bce"].item() > 0


def test_simulate_is_all_that_a_type_with_weights_needs(
    new_model: New, new_objective: New, new_batch: New, step_of: New, total: New, plugins: Any
) -> None:
    plugins.register("prompts", "colour", Colour, distribution="ours")
    model = new_model("nano")
    network = model.network.requires_grad_(True).train()
    network.text_encoder.requires_grad_(False)
    objective: Objective = new_objective(network=network, objects=None)
    objective.parts = dict(model._parts)
    batch = new_batch(kinds={Colour: 1.0}, shares=ONLY_PROMPTS)
    assert {cell.group for cell in batch.cells} == {"text"}
    assert all(isinstance(cell.prompts[0], Colour) and not cell.regions for cell in batch.cells)
    total(objective(batch, step_of(objective, batch, rounds=1))).backward()
    learned = network.prompts.get_submodule(objective.parts[Colour])
    assert all(p.grad is not None and p.grad.any() for p in learned.parameters())


def test_a_type_that_finds_no_prompt_gives_the_mask(new_batch: New) -> None:
    class Shy(Halo):
        @classmethod
        def simulate(cls, mask: Any, rng: np.random.Generator) -> Self | None:
            return None

    batch = new_batch(kinds={Shy: 1.0}, shares=ONLY_PROMPTS)
    for cell in batch.cells:
        np.testing.assert_array_equal(cell.regions[0].mask, cell.truth)


def test_sampled_queries_are_drawn_anew_for_every_pass(
    new_objective: New, new_batch: New, monkeypatch: Any
) -> None:
    objective: Objective = new_objective(
        "seem_v1", queries=QueriesSection(policy="sampled", count=3), objects=None
    )
    seen: list[torch.Tensor] = []
    forward = objective.network.decoder.forward

    def spy(scene: Any, rows: Any, *given: Any, **more: Any) -> Any:
        seen.append(rows[0].content.detach())
        return forward(scene, rows, *given, **more)

    monkeypatch.setattr(objective.network.decoder, "forward", spy)
    batch = new_batch([1], shares=ONLY_PROMPTS)
    from seemkit.training.objective import Step

    objective(batch, Step(0, 1, objective.divisors(batch)))
    table = objective.network.decoder.object_queries()[0].detach()
    for content in seen:
        assert content.shape == (4, 3, 32)
        assert all(any(torch.equal(row, known) for known in table) for row in content.flatten(0, 1))
    assert not torch.equal(seen[0], seen[1])


@torch.no_grad()
def test_a_text_keeps_all_queries_where_those_of_the_others_are_drawn(
    new_objective: New, new_batch: New, step_of: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as published: only spatial groups are drawn. Expected of a text is what `per_owner` answers, with all of them
    import seemkit.training.prompted as room

    def answered(policy: str) -> Any:
        objective: Objective = new_objective("seem_v1", queries=QueriesSection(policy=policy, count=3))
        batch = new_batch([1, 2, 3], shares=SharesSection(prompt=1, reference=0, text=1, mixed=0))
        network = objective.network.eval()
        features = network.encode(normalise(batch.views, objective.preprocess, network.device))
        prepared = network.decoder.prepare(features.levels, network.mask_features(features.fine))
        ask = objective.asking(prepared, features, batch.cells)
        asked = ask(None)
        objective(batch, step_of(objective, batch, rounds=0))
        drawn = asked.decoded
        for choice in choices(
            network,
            prepared,
            drawn.queries,
            drawn.mask_embeddings,
            drawn.bias,
            asked.anchors,
            1,
            asked.padding,
        ):
            probability = choice.log_probability[:, 0].exp()
            assert asked.padding is None or not probability[asked.padding].any()
            torch.testing.assert_close(probability.sum(-1), torch.ones(len(probability)))
        return [cell.group for cell in batch.cells], asked.padding, objective.answer(ask, asked)

    matched: list[torch.Tensor] = []
    assign, pair_costs = room.assign, room.pair_costs
    monkeypatch.setattr(
        room, "pair_costs", lambda *given: 0 * (c := pair_costs(*given)) - torch.arange(c.shape[2])
    )
    monkeypatch.setattr(room, "assign", lambda costs: matched.append(assign(costs)) or matched[-1])
    groups, none, wanted = answered("per_owner")
    assert none is None
    assert set(groups) == {"text", "visual"}
    matched.clear()
    same_groups, padding, found = answered("sampled")
    assert same_groups == groups
    texts = torch.tensor([group == "text" for group in groups])
    assert padding.sum(1).tolist() == [0 if text else 8 - 3 for text in texts]
    torch.testing.assert_close(found[texts], wanted[texts])
    assert not torch.allclose(found[~texts], wanted[~texts])
    for each in matched:  # by costs that fall from the first to the last: the last that is there
        assert each.flatten().tolist() == [7 if text else 2 for text in texts]


def test_shared_queries_answer_all_objects_of_a_view_at_once(
    new_objective: New, new_batch: New, step_of: New, monkeypatch: Any
) -> None:
    import seemkit.training.prompted as room

    objective: Objective = new_objective("seem_demo", queries=QueriesSection(policy="shared"), objects=None)
    shapes: list[tuple[int, ...]] = []
    real = room.assign
    monkeypatch.setattr(room, "assign", lambda costs: shapes.append(tuple(costs.shape)) or real(costs))
    batch = new_batch([1, 2], count=3)
    terms = objective(batch, step_of(objective, batch, rounds=2))
    assert set(shapes) == {(4, 3, 8)}  # four views, three objects each, eight queries
    assert all(torch.isfinite(value) for value in terms.values())


def test_cells_that_ask_for_one_object_share_their_answers(new_batch: New) -> None:
    from seemkit.training.prompted import _sharing

    batch = new_batch([1], count=3, pair=False)  # two objects, one of them twice
    sharing = _sharing(batch.cells, 1, torch.device("cpu"))
    assert sharing is not None
    places = [cell.target.place for cell in batch.cells]
    for i in range(3):
        same = [places[i] == place for place in places]
        assert sharing[0, i].tolist() == [1 / sum(same) if each else 0 for each in same]


def test_options_of_the_published_training_are_the_defaults() -> None:
    section = ObjectiveSection()
    assert section.cost.visual == section.cost.text == section.cost.objects == (2, 5, 5)
    assert section.objects is not None
    assert (section.objects.name, section.objects.bce, section.objects.dice, section.objects.nothing) == (
        2,
        5,
        5,
        0.1,
    )
    for group in (section.visual, section.text):
        assert (group.choice, group.bce, group.dice) == (0.4, 1, 1)
    assert (section.text.phrase, section.text.name) == (2, 0.5)
    assert (section.points.matching, section.points.loss) == (12544, 12544)

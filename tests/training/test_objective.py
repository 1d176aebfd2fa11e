"""The objective: it lowers, it reaches all that is learned, its draws are its own, and parts add up to the whole."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seemkit.errors import SeemkitError
from seemkit.network.network import Network
from seemkit.training.batch import Batch, Divisors
from seemkit.training.objective import Objective, Step
from seemkit.training.recipe.sections import (
    ClicksSection,
    CostSection,
    GroupSection,
    LabelSection,
    QueriesSection,
    SharesSection,
    TextSection,
)

New = Callable[..., Any]
NOTHING = GroupSection(choice=0, bce=0, dice=0)
TERMS = {
    "visual_choice", "visual_bce", "visual_dice", "text_choice", "text_bce", "text_dice",
    "object_name", "object_bce", "object_dice", "label",
}  # fmt: skip


@pytest.mark.parametrize("policy", ["per_owner", "sampled", "shared"])
@pytest.mark.parametrize("preset", ["seem_v0", "seem_v1", "seem_demo", "nano"])
def test_steps_lower_the_loss(
    new_objective: New, new_batch: New, step_of: New, total: New, preset: str, policy: str
) -> None:
    options = {"queries": QueriesSection(policy=policy, count=4), "labels": LabelSection()}
    if preset == "nano" and policy == "shared":
        with pytest.raises(
            SeemkitError, match="the preset 'nano' starts queries from the object they answer"
        ):
            new_objective(preset, **options)
        return
    objective: Objective = new_objective(preset, **options)
    learned = [p for p in objective.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=1e-3)

    def loss() -> Tensor:
        batch = new_batch([1])
        terms = objective(batch, step_of(objective, batch, rounds=0))
        assert set(terms) == TERMS == set(objective.terms)
        value: Tensor = total(terms)
        return value

    before = loss()
    assert torch.isfinite(before)
    for _ in range(2):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert loss().item() < before.item()


def test_the_same_draws_give_the_same_losses(new_objective: New, new_batch: New, step_of: New) -> None:
    objective: Objective = new_objective()

    def losses(draws: int) -> dict[str, float]:
        batch = new_batch(draws=draws)
        return {k: v.item() for k, v in objective(batch, step_of(objective, batch, rounds=2)).items()}

    assert losses(0) == losses(0)
    assert losses(0) != losses(1)


def test_every_learned_part_is_reached(new_objective: New, new_batch: New, step_of: New, total: New) -> None:
    objective: Objective = new_objective(labels=LabelSection())
    network = objective.network
    torch.nn.init.normal_(
        network.prompts.outline.drawn.weight
    )  # zero at first: the rest waits for the first step
    for draws in range(8):
        batch = new_batch([0, 3], draws=draws)
        total(objective(batch, step_of(objective, batch, rounds=draws % 3))).backward()
    missed = {n for n, p in network.named_parameters() if p.requires_grad and not has_gradient(p)}
    # timm starts residual branches at zero, so what lies behind their last norm waits for the first step
    assert {n for n in missed if not n.startswith("image_encoder.")} == set()
    assert not {n for n in missed if n.startswith("image_encoder.trunk.conv1.")}


def has_gradient(parameter: torch.nn.Parameter) -> bool:
    return parameter.grad is not None and bool(parameter.grad.any())


def test_a_frozen_encoder_costs_no_gradient(
    new_objective: New, new_batch: New, step_of: New, total: New
) -> None:
    objective: Objective = new_objective()
    objective.network.image_encoder.requires_grad_(False)
    seen: list[bool] = []
    objective.network.image_encoder.register_forward_hook(
        lambda m, given, maps: seen.append(maps[0].requires_grad)
    )
    batch = new_batch()
    total(objective(batch, step_of(objective, batch))).backward()
    assert seen == [False]


def test_rounds_before_the_last_leave_no_gradient_and_give_memory(
    new_objective: New, new_batch: New, step_of: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    for memory in (True, False):
        objective: Objective = new_objective(memory=memory, objects=None)
        seen = spy_on(objective.network, monkeypatch)
        batch = new_batch(shares=SharesSection(prompt=1, reference=0, text=0, mixed=0))
        objective(batch, step_of(objective, batch, rounds=3))
        assert [gradient for _, gradient in seen] == [False, False, False, True]
        assert ["memory" in roles for roles, _ in seen] == [False, memory, memory, memory]


def spy_on(network: Network, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], bool]]:
    """Roles of the rows of every pass of the decoder, and whether it has a gradient."""
    seen: list[tuple[list[str], bool]] = []
    forward = network.decoder.forward

    def spy(scene: Any, rows: Any, *given: Any, **more: Any) -> Any:
        decoded = forward(scene, rows, *given, **more)
        seen.append(([batch.role for batch in rows], decoded.queries.requires_grad))
        return decoded

    monkeypatch.setattr(network.decoder, "forward", spy)
    return seen


def test_all_groups_share_one_encoded_picture(
    new_objective: New, new_batch: New, step_of: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective: Objective = new_objective()
    calls: list[int] = []
    objective.network.pixel_decoder.register_forward_hook(lambda *given: calls.append(1))
    seen = spy_on(objective.network, monkeypatch)
    batch = new_batch([1, 2, 3, 4])
    objective(batch, step_of(objective, batch, rounds=1))
    assert len(calls) == 1
    prompted = set(seen[1][0])
    assert prompted == {"query", "region", "reference", "phrase", "memory"}
    assert seen[-1][0] == ["query"], "everything mode asks nothing"


def test_clicks_correct_every_round_and_negative_ones_can_be_left_out(
    new_objective: New, new_network: New, new_batch: New, step_of: New
) -> None:
    for negative, signs in ((True, {True, False}), (False, {True})):
        objective: Objective = new_objective(
            network=new_network(seed=2), clicks=ClicksSection(negative=negative), objects=None
        )
        given: set[bool] = set()
        for draws in range(5):
            batch: Batch = new_batch(
                shares=SharesSection(prompt=1, reference=0, text=0, mixed=0), draws=draws
            )
            objective(batch, step_of(objective, batch, rounds=3))
            for cell in batch.cells:
                for region in cell.regions[1:]:
                    assert region.area <= 9
                    rows, columns = np.nonzero(region.mask)
                    if region.area == 9:
                        centre = cell.truth[int(np.median(rows)), int(np.median(columns))]
                        assert centre == region.include
                    given.add(region.include)
        assert given == signs


def test_parts_of_a_step_add_up_to_the_whole(
    new_objective: New, new_batch: New, step_of: New, total: New
) -> None:
    objective: Objective = new_objective(labels=LabelSection(), mean="group")
    seeds = [0, 1, 2, 3]
    whole = new_batch(seeds)
    step = step_of(objective, whole, rounds=1)
    together = objective(whole, step)
    total(together).backward()
    expected = {n: p.grad.clone() for n, p in objective.named_parameters() if p.grad is not None}
    objective.zero_grad(set_to_none=True)
    split: dict[str, float] = {}
    counted = Divisors()
    for half in (seeds[:2], seeds[2:]):
        batch = new_batch(half)
        counted = counted + objective.divisors(batch)
        terms = objective(batch, step)
        total(terms).backward()
        for name, value in terms.items():
            split[name] = split.get(name, 0.0) + value.item()
    assert counted == step.divisors
    assert split == pytest.approx({k: v.item() for k, v in together.items()}, rel=1e-5)
    for name, parameter in objective.named_parameters():
        if name in expected:
            torch.testing.assert_close(parameter.grad, expected[name], rtol=1e-3, atol=1e-5)


def test_weights_are_honoured(new_objective: New, new_batch: New, step_of: New) -> None:
    def terms(**options: Any) -> dict[str, float]:
        objective: Objective = new_objective(**options)
        batch = new_batch(shares=SharesSection(prompt=1, reference=0, text=1, mixed=0))
        return {k: v.item() for k, v in objective(batch, step_of(objective, batch, rounds=0)).items()}

    one, two = terms(), terms(visual=GroupSection(choice=0.8, bce=3, dice=0), objects=None)
    assert two["visual_choice"] == pytest.approx(2 * one["visual_choice"], rel=1e-5)
    assert two["visual_bce"] == pytest.approx(3 * one["visual_bce"], rel=1e-5)
    assert two["visual_dice"] == 0
    assert "object_bce" not in two


def test_cost_weights_change_what_is_matched(
    new_objective: New, new_batch: New, step_of: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the spatial costs of the original were read from its configuration and then ignored
    import seemkit.training.prompted as room

    def matched(cost: CostSection) -> list[int]:
        found: list[int] = []
        real = room.assign
        monkeypatch.setattr(
            room, "assign", lambda costs: found.extend(real(costs).flatten().tolist()) or real(costs)
        )
        objective: Objective = new_objective("seem_v1", cost=cost, objects=None)
        batch = new_batch([1, 2, 3])
        objective(batch, step_of(objective, batch, rounds=0))
        monkeypatch.setattr(room, "assign", real)
        return found

    assert matched(CostSection()) == matched(CostSection())
    assert matched(CostSection(visual=(0, 5, 5))) != matched(CostSection(visual=(1000, 0, 0)))


def test_heads_are_summed_averaged_or_the_last_alone(
    new_objective: New, new_batch: New, step_of: New
) -> None:
    def loss(heads: str) -> float:
        objective: Objective = new_objective(heads=heads)
        batch = new_batch()
        terms = objective(batch, step_of(objective, batch, rounds=0))
        return float(terms["visual_dice"].detach()), float(terms["object_dice"].detach())  # type: ignore[return-value]

    summed, mean, last = (np.array(loss(heads)) for heads in ("sum", "mean", "last"))
    np.testing.assert_allclose(summed, 4 * mean, rtol=1e-4)  # three layers, and the head before them
    assert (last < summed).all()


def test_texts_are_chosen_in_class_space_and_clicks_in_mask_space(
    new_objective: New, new_batch: New, step_of: New, total: New
) -> None:
    def moved(shares: SharesSection) -> set[str]:
        """Which heads the choice alone moves."""
        objective: Objective = new_objective(
            "seem_v1",
            objects=None,
            visual=GroupSection(choice=1, bce=0, dice=0),
            text=TextSection(bce=0, dice=0),
        )
        batch = new_batch(shares=shares)
        total(objective(batch, step_of(objective, batch, rounds=0))).backward()
        heads = objective.network.heads
        return {n for n, p in heads.named_parameters() if p.grad is not None and p.grad.any()}

    text = moved(SharesSection(prompt=0, reference=0, text=1, mixed=0))
    click = moved(SharesSection(prompt=1, reference=0, text=0, mixed=0))
    assert "class_proj" in text
    assert not any(name.startswith("mask_mlp") for name in text)
    assert "class_proj" not in click
    assert any(name.startswith("mask_mlp") for name in click)


def test_the_padding_of_a_view_is_no_part_of_any_mask_or_loss(
    new_objective: New, new_batch: New, step_of: New
) -> None:
    # phrase masks of the original were padded with 255 and so had a foreground there
    objective: Objective = new_objective(clicks=ClicksSection(rounds=0))
    batch: Batch = new_batch()
    for view in batch.views:
        height, width = view.valid
        assert (height, width) != (96, 96)
        assert not any(target.mask[height:].any() or target.mask[:, width:].any() for target in view.targets)
    before = objective(batch, step_of(objective, batch, rounds=0))
    for view in batch.views:
        view.image[view.valid[0] :] = 255 - view.image[view.valid[0] :]
    after = objective(batch, step_of(objective, batch, rounds=0))
    assert {k: v.item() for k, v in before.items()} == {k: v.item() for k, v in after.items()}


def test_reference_shows_the_object_in_the_partner_view(new_objective: New, new_batch: New) -> None:
    objective: Objective = new_objective(objects=None)
    only = SharesSection(prompt=0, reference=1, text=0, mixed=0)

    def anchors(change: int | None = None) -> Tensor:
        batch: Batch = new_batch(shares=only)
        assert all(not cell.regions and cell.reference for cell in batch.cells)
        if change is not None:
            mask = batch.cells[change].target.mask
            mask[: batch.cells[change].valid[0] // 2] ^= True
        network = objective.network
        from seemkit.training.batch import normalise

        features = network.encode(normalise(batch.views, objective.preprocess, network.device))
        scene = network.decoder.prepare(features.levels, network.mask_features(features.fine))
        tokens = objective.asking(scene, features, batch.cells)._reference()
        assert tokens is not None
        return tokens.anchor

    with torch.no_grad():
        differs = (anchors() != anchors(0)).any(1).tolist()
    assert differs == [i == 2 for i in range(8)]  # cell 0 of view 0 is what cell 0 of view 1 is asked with


def test_rounds_are_of_the_step_and_not_of_the_batch(
    new_objective: New, new_batch: New, monkeypatch: Any
) -> None:
    objective: Objective = new_objective(objects=None)
    seen = spy_on(objective.network, monkeypatch)
    batch = new_batch()
    objective(batch, Step(0, 2, objective.divisors(batch)))
    assert len(seen) == 3

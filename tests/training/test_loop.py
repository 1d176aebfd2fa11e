"""The loop: a run that was interrupted goes on as if it had not been, and what it writes is what it says."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seemkit.network.network import Network
from seemkit.prompting.prompt import SpatialPrompt
from seemkit.prompting.read import prompt_types
from seemkit.training.loop import Schedule, train
from seemkit.training.objective import Objective
from seemkit.training.pictures import Picture
from seemkit.training.views import View

SPATIAL = [kind for kind in prompt_types().values() if issubclass(kind, SpatialPrompt)]
NAMES = {"red thing": 2, "green thing": 2, "blue thing": 2}
SHORT = Schedule(steps=4, size=64, pictures=2, objects=1, minutes=0, seed=3, complete_share=0.5)
Normalise = Callable[[Sequence[View]], Tensor]


class Recorded(Objective):
    """Remembers its losses."""

    def __init__(self, network: Network, **more: Any) -> None:
        super().__init__(network, SPATIAL, rounds=2, points=60, names=NAMES, **more)
        self.said: list[dict[str, float]] = []

    def __call__(self, *given: Any) -> dict[str, Tensor]:
        losses = super().__call__(*given)
        self.said.append({name: float(value.detach()) for name, value in losses.items()})
        return losses


def run(
    network: Network, pictures: Sequence[Picture], schedule: Schedule, folder: Path, normalise: Normalise
) -> Recorded:
    objective = Recorded(network)
    train(network, objective, pictures, schedule, folder, normalise, lambda line: None)
    return objective


class PluggedOutError(Exception):
    """Pulls the plug."""


def failing_at(step: int, normalise: Normalise) -> Normalise:
    calls: Iterator[int] = iter(range(10**6))

    def call(views: Sequence[View]) -> Tensor:
        if next(calls) == step:
            raise PluggedOutError
        return normalise(views)

    return call


def test_a_resumed_run_goes_on_with_the_same_losses_and_ends_with_the_same_bits(
    new_network: Callable[..., Network], pictures: list[Picture], normalise: Normalise, tmp_path: Path
) -> None:
    whole = run(network := new_network(), pictures, SHORT, tmp_path / "whole", normalise)
    assert len(whole.said) == 4

    with pytest.raises(PluggedOutError):
        run(new_network(), pictures, SHORT, tmp_path / "parts", failing_at(2, normalise))
    other = new_network(seed=5)  # whatever it starts from, the checkpoint has everything
    rest = run(other, pictures, SHORT, tmp_path / "parts", normalise)
    assert rest.said == whole.said[2:]
    one, two = network.state_dict(), other.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    one, two = (torch.load(tmp_path / name / "weights.pt", weights_only=True) for name in ("whole", "parts"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_that_has_ended_does_nothing_more(
    new_network: Callable[..., Network], pictures: list[Picture], normalise: Normalise, tmp_path: Path
) -> None:
    run(new_network(), pictures, SHORT, tmp_path, normalise)
    assert run(new_network(), pictures, SHORT, tmp_path, normalise).said == []


def test_another_seed_is_another_run(
    new_network: Callable[..., Network], pictures: list[Picture], normalise: Normalise, tmp_path: Path
) -> None:
    schedule = replace(SHORT, steps=1)
    one = run(new_network(), pictures, schedule, tmp_path / "one", normalise)
    two = run(new_network(), pictures, replace(schedule, seed=4), tmp_path / "two", normalise)
    assert one.said != two.said


def test_the_encoder_stays_frozen_unless_it_has_a_rate(
    new_network: Callable[..., Network], pictures: list[Picture], normalise: Normalise, tmp_path: Path
) -> None:
    for rate, frozen in ((0.0, True), (0.5, False)):
        network, before = new_network(), new_network().state_dict()
        run(network, pictures, replace(SHORT, steps=2, backbone_rate=rate), tmp_path / str(rate), normalise)
        after = network.state_dict()
        changed = {name for name in before if not torch.equal(before[name], after[name])}
        moved = {name for name in changed if name.startswith("image_encoder.")}
        assert bool(moved) != frozen
        assert not any("running" in name for name in moved), "batch statistics stay"
        assert {name for name in changed if name.startswith("text_encoder.")} <= {"text_encoder.logit_scale"}
        assert any(name.startswith("decoder.") for name in changed)


def test_the_averaged_weights_follow_the_weights(
    new_network: Callable[..., Network], pictures: list[Picture], normalise: Normalise, tmp_path: Path
) -> None:
    # step n keeps min(0.9, (n + 1) / (n + 10)) of the average
    network, schedule = new_network(), replace(SHORT, steps=3, average=0.15)
    history = [network.decoder.level_embed.detach().clone()]
    objective = Recorded(network)

    def watch(views: Sequence[View]) -> Tensor:
        history.append(network.decoder.level_embed.detach().clone())
        return normalise(views)

    train(network, objective, pictures, schedule, tmp_path, watch, lambda line: None)
    states = [*history[2:], network.decoder.level_embed.detach()]  # after each of the three steps
    expected = history[0]
    for step, state in enumerate(states):
        keep = min(0.15, (step + 1) / (step + 10))
        expected = keep * expected + (1 - keep) * state
    found = torch.load(tmp_path / "weights.pt", weights_only=True)["decoder.level_embed"]
    torch.testing.assert_close(found, expected)
    assert not torch.equal(found, states[-1])


def test_the_rate_warms_up_and_falls_along_a_half_cosine(
    new_network: Callable[..., Network], pictures: list[Picture], normalise: Normalise, tmp_path: Path
) -> None:
    rates: list[float] = []
    step = torch.optim.AdamW.step

    def spy(self: torch.optim.AdamW, *given: Any, **more: Any) -> Any:
        rates.append(self.param_groups[0]["lr"])
        return step(self, *given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", spy)
        run(new_network(), pictures, SHORT, tmp_path, normalise)
    expected = [
        1e-3 * (k + 1) / 100 * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * k / 4))) for k in range(4)
    ]
    assert rates == pytest.approx(expected)


def test_norms_biases_and_embeddings_do_not_decay(
    new_network: Callable[..., Network], pictures: list[Picture], normalise: Normalise, tmp_path: Path
) -> None:
    kept: list[Any] = []
    make = torch.optim.AdamW.__init__

    def spy(self: torch.optim.AdamW, groups: Any, *given: Any, **more: Any) -> None:
        kept.extend(groups)
        make(self, groups, *given, **more)

    network = new_network()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "__init__", spy)
        run(network, pictures, replace(SHORT, steps=1), tmp_path, normalise)
    names = {id(p): name for name, p in network.named_parameters()}
    decays = {names[id(p)]: group["weight_decay"] > 0 for group in kept for p in group["params"]}
    assert decays["decoder.layers.0.ffn.fc1.weight"]
    assert decays["heads.class_proj"]
    for name in (
        "decoder.level_embed", "decoder.queries.object.content", "prompts.memory.position",
        "prompts.region.sign_embed", "heads.norm.weight", "decoder.layers.0.ffn.fc1.bias",
        "decoder.layers.0.cross_attn.in_proj_bias",
    ):  # fmt: skip
        assert not decays[name], name
    assert not any(name.startswith("image_encoder.") for name in decays)


def test_a_gradient_that_is_not_finite_is_skipped_and_the_run_is_saved(
    new_network: Callable[..., Network], pictures: list[Picture], normalise: Normalise, tmp_path: Path
) -> None:
    class Poisoned(Recorded):
        def __call__(self, *given: Any) -> dict[str, Tensor]:
            losses = super().__call__(*given)
            return losses if len(self.said) < 3 else {name: x * math.nan for name, x in losses.items()}

    said: list[str] = []
    network = new_network()
    objective = Poisoned(network)
    train(network, objective, pictures, replace(SHORT, steps=3, minutes=99), tmp_path, normalise, said.append)
    assert said[-1] == "step 2: the gradient is not finite; the step is skipped"
    assert all(torch.isfinite(x).all() for x in network.state_dict().values() if x.is_floating_point())
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 3


def test_the_log_has_losses_rate_and_step(
    new_network: Callable[..., Network], pictures: list[Picture], normalise: Normalise, tmp_path: Path
) -> None:
    objective = run(new_network(), pictures, replace(SHORT, steps=2), tmp_path, normalise)
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert record["step"] == 0
    assert record["bce"] == pytest.approx(objective.said[0]["bce"], abs=1e-4)
    assert record["rate"] == pytest.approx(1e-5)
    assert record["seconds"] > 0


def test_views_of_a_batch_come_in_pairs_of_one_picture(
    new_network: Callable[..., Network], pictures: list[Picture], normalise: Normalise, tmp_path: Path
) -> None:
    seen: list[Sequence[View]] = []

    def watch(views: Sequence[View]) -> Tensor:
        seen.append(views)
        return normalise(views)

    run(new_network(), pictures, replace(SHORT, steps=3, objects=2, pictures=3), tmp_path, watch)
    for views in seen:
        assert len(views) == 6
        for one, two in zip(views[:3], views[3:], strict=True):
            assert one.picture is two.picture
            assert one.chosen == two.chosen
            assert len(one.masks) == len(two.masks) == 2
            assert np.all(two.masks.any((1, 2)))

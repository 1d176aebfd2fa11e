"""The optimiser: what moves and how fast, what decays, how the rate runs, and what the average follows."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from seemkit.errors import SeemkitError
from seemkit.network.network import Network
from seemkit.training.optimiser import Average, build_optimiser, rate_at, set_rate
from seemkit.training.recipe.sections import OptimiserSection, ScheduleSection
from seemkit.training.start import ADAPT, rates_of

New = Callable[..., Network]


def groups_by_name(network: Network, options: OptimiserSection) -> dict[str, dict[str, Any]]:
    optimiser = build_optimiser(network, rates_of(network, options.rates), options)
    names = {id(p): name for name, p in network.named_parameters()}
    return {names[id(p)]: group for group in optimiser.param_groups for p in group["params"]}


def test_biases_norms_and_embeddings_do_not_decay(new_network: New) -> None:
    # in the original biases decayed, for its test looked at the name of the module
    network = new_network("nano")
    found = groups_by_name(
        network, OptimiserSection(decay=0.05, rates={"text_encoder": 1, "image_encoder": 1})
    )
    assert set(found) == {name for name, _ in network.named_parameters()}
    for name, parameter in network.named_parameters():
        if name.endswith("bias") or parameter.ndim < 2 or "token_embedding" in name:
            assert found[name]["weight_decay"] == 0, name
    for name in (
        "decoder.layers.0.ffn.fc1.weight",
        "heads.class_proj",
        "decoder.layers.0.cross_attn.in_proj_weight",
    ):
        assert found[name]["weight_decay"] == 0.05
    for name in (
        "decoder.layers.0.ffn.fc1.bias", "decoder.layers.0.cross_attn.in_proj_bias", "heads.norm.weight",
        "decoder.level_embed", "decoder.queries.object.content", "prompts.memory.position",
        "prompts.region.sign_embed",
    ):  # fmt: skip
        assert found[name]["weight_decay"] == 0, name


def test_rates_go_by_the_longest_beginning(new_network: New) -> None:
    network = new_network()
    rates = {"image_encoder": 0.0, "pixel_decoder": 0.5, "pixel_decoder.lateral": 2.0, "text_encoder": 0.0}
    optimiser = build_optimiser(network, rates_of(network, rates), OptimiserSection(rate=0.1))
    set_rate(optimiser, 0.1)
    names = {id(p): name for name, p in network.named_parameters()}
    found = {names[id(p)]: g["lr"] for g in optimiser.param_groups for p in g["params"]}
    assert found["pixel_decoder.in_proj.weight"] == 0.05
    assert found["pixel_decoder.lateral.0.conv.weight"] == 0.2
    assert found["decoder.level_embed"] == 0.1
    kept = ("image_encoder.", "text_encoder.")
    assert [name for name in found if name.startswith(kept)] == ["text_encoder.logit_scale"]
    assert not any(p.requires_grad for p in network.image_encoder.parameters())


def test_adapting_moves_the_bridges_alone(new_network: New) -> None:
    network = new_network()
    moved = {name for name, rate in rates_of(network, ADAPT).items() if rate}
    assert moved == {
        n
        for n, _ in network.named_parameters()
        if n.startswith(("pixel_decoder.lateral.", "pixel_decoder.in_proj.", "pixel_decoder.meaning."))
    }


def test_a_beginning_that_fits_nothing_is_refused(new_network: New) -> None:
    with pytest.raises(
        SeemkitError, match=r"optimiser\.rates has 'backbone', but no parameter begins so; they begin"
    ):
        rates_of(new_network(), {"backbone": 0})
    with pytest.raises(SeemkitError, match="freezes every parameter"):
        rates_of(new_network(), {"all": 0, "text_encoder.logit_scale": 0})


def test_the_rate_warms_up_and_falls_along_a_half_cosine() -> None:
    options = ScheduleSection(warmup=100, floor=0.01)
    for step in range(0, 400, 37):
        expected = min((step + 1) / 100, 1) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / 400)))
        assert rate_at(step, 400, options) == pytest.approx(expected)


def test_the_published_schedule_falls_twice() -> None:
    options = ScheduleSection(kind="steps", warmup=0)
    assert [rate_at(step, 1000, options) for step in (0, 888, 889, 962, 963, 999)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01]
    )
    assert rate_at(500, 1000, ScheduleSection(kind="constant", warmup=0)) == 1


def test_the_average_follows_the_weights(new_network: New) -> None:
    # step n keeps min(0.15, (n + 1) / (n + 10)) of the average
    network = new_network()
    average = Average(network, 0.15)
    expected = network.decoder.level_embed.detach().clone()
    for step in range(3):
        with torch.no_grad():
            network.decoder.level_embed.add_(step + 1)
        keep = min(0.15, (step + 1) / (step + 10))
        expected = keep * expected + (1 - keep) * network.decoder.level_embed.detach()
        average.follow(network, step)
    torch.testing.assert_close(average.values["decoder.level_embed"], expected)
    weights = network.decoder.level_embed.detach().clone()
    average.exchange(network)
    torch.testing.assert_close(network.decoder.level_embed.detach(), expected)
    average.exchange(network)
    torch.testing.assert_close(network.decoder.level_embed.detach(), weights)

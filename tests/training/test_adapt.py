"""A swapped backbone: the plan says what is untrained, adapting moves that alone and all of it, names among it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self

import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch import nn

import seemkit
from seemkit.api import Dims, EncodeContext, Encoded, Group, TokenPrompt
from seemkit.assembly import load_assembly
from seemkit.errors import SeemkitError, WeightsError
from seemkit.pipeline.plan import make_plan
from seemkit.training.recipe import Recipe, load_recipe
from seemkit.training.start import ADAPT, build_start, rates_of
from seemkit.training.train import Trained, train
from seemkit.weights import save_weights

BRIDGES = ("pixel_decoder.lateral.", "pixel_decoder.in_proj.", "pixel_decoder.meaning.")
STATISTICS = "pixel_decoder.meaning.standard."
FROZEN = {bridge.rstrip("."): 0 for bridge in BRIDGES}
OTHER = {"backbone.model": "test_efficientnet"}


class Gaze(TokenPrompt):
    """Where somebody looked; no training simulates it."""

    type: Literal["gaze"] = "gaze"

    @classmethod
    def build(cls, dims: Dims) -> nn.Module:
        return nn.Linear(2, dims.channels)

    def encode(self, context: EncodeContext) -> Encoded:
        assert context.module is not None
        return Encoded((Group("phrase", context.module(torch.zeros(1, 2))),), ())

    @classmethod
    def example(cls) -> Self:
        return cls()


def recipe_for(assembly: Path, photos: Path, options: dict[str, Any], **fields: Any) -> Recipe:
    """Adapting to another backbone, in a few steps, on a folder of photos with options of the data set."""
    return load_recipe(
        "adapt",
        {
            "model.assembly": str(assembly), "model.overrides": dict(OTHER), "data.size": 64, "data.hold_out": 0,
            "data.sources": [{"use": "folder", "path": str(photos), **options}], "run.steps": 6, "run.batch": 4,
            "run.workers": 0, "run.pictures": 0, "run.log": 1, "run.tensorboard": False, "run.device": "cpu",
            "objective.points": {"matching": 100, "loss": 60}, "optimiser.average": 0, **fields,
        },
    )  # fmt: skip


@pytest.fixture
def weighed(tiny_yaml: Path, new_model: Callable[..., Any], one_thread: None) -> Path:
    """The tiny assembly with weights, and beside it `encoder.pt` with those of the other backbone by timm's names."""
    save_weights(new_model("nano", seed=3).network, tiny_yaml.with_name("tiny.safetensors"), {})
    plain = yaml.safe_load(tiny_yaml.read_text())
    tiny_yaml.write_text(yaml.safe_dump({**plain, "weights": {"file": "tiny.safetensors"}}))
    other = seemkit.load(tiny_yaml, weights=None, overrides=dict(OTHER), device="cpu").network.image_encoder
    named = {name.removeprefix("trunk."): x for name, x in other.state_dict().items()}
    torch.save(named, tiny_yaml.with_name("encoder.pt"))
    return tiny_yaml


@pytest.fixture
def adapt(weighed: Path, photos: Path) -> Callable[[dict[str, Any]], Trained]:
    """Swap the backbone of a tiny model and adapt it."""

    def run(options: dict[str, Any]) -> Trained:
        given = {"model.encoder": str(weighed.with_name("encoder.pt"))}
        return train(recipe_for(weighed, photos, options, **given), weighed.parent / "run", adapt=True)

    return run


def test_only_what_the_other_backbone_leaves_untrained_is_moved_and_all_of_it(
    adapt: Callable[[dict[str, Any]], Trained], tiny_yaml: Path
) -> None:
    trained, folder = adapt({"category": "cell"}), tiny_yaml.parent
    planned = make_plan(load_assembly(tiny_yaml, dict(OTHER))).weights.untrained
    assert planned is not None
    assert {"image_encoder", *(bridge.rstrip(".") for bridge in BRIDGES)} == set(planned)
    assert set(trained.untrained) == {bridge.rstrip(".") for bridge in BRIDGES}
    start = load_file(folder / "tiny.safetensors")
    after = load_file(folder / "run" / "weights.safetensors")
    kept = {n for n in start if n in after and not n.startswith(("image_encoder.", *BRIDGES))}
    assert all(torch.equal(start[name], after[name]) for name in kept)
    moved = [name for name in after if name.startswith(BRIDGES) and not name.startswith(STATISTICS)]
    assert trained.trained == sum(after[name].numel() for name in moved)
    before = build_start(recipe_for(tiny_yaml, folder, {"category": "cell"})).network.state_dict()
    assert not any(torch.equal(before[name], after[name]) for name in moved)
    assert trained.not_taught == ()
    assert (after[f"{STATISTICS}0.deviation"] != 1).any(), "taken from the pictures"
    assert trained.assembly is not None
    assert make_plan(load_assembly(trained.assembly)).weights.untrained == {}


def test_what_data_without_names_cannot_teach_is_said(adapt: Callable[[dict[str, Any]], Trained]) -> None:
    trained = adapt({})
    assert trained.not_taught == ("pixel_decoder.meaning.middle", "pixel_decoder.meaning.coarse")


def test_a_random_encoder_is_not_adapted_to_or_fine_tuned_on(weighed: Path, photos: Path) -> None:
    out = weighed.parent / "run"
    said = r"'tiny-nano' have nothing for the image encoder 'test_efficientnet', .* stay random; give .* model\.encoder"
    with pytest.raises(WeightsError, match=said):
        train(recipe_for(weighed, photos, {}), out, adapt=True)
    fine = {"model.weights": str(weighed.with_name("tiny.safetensors"))}
    with pytest.raises(
        WeightsError, match=r"tiny\.safetensors' have nothing .* start from the model that the weights"
    ):
        train(recipe_for(weighed, photos, {}, **fine), out)
    assert not (out / "weights.safetensors").exists()


def test_an_encoder_that_is_trained_or_given_may_start_without_weights(weighed: Path, photos: Path) -> None:
    learning = {"optimiser.rates": {"image_encoder": 1, **FROZEN}, "run.steps": 1}
    trained = train(recipe_for(weighed, photos, {}, **learning), weighed.parent / "run")
    assert trained.untrained == ("image_encoder",)
    recipe = recipe_for(weighed, photos, {}, **{"model.encoder": str(weighed.with_name("encoder.pt"))})
    assert "image_encoder" not in build_start(recipe).network.untrained


def test_bridges_that_stay_frozen_are_marked_in_the_weights(weighed: Path, photos: Path) -> None:
    frozen = {
        "optimiser.rates": {"decoder": 1, **FROZEN}, "model.encoder": str(weighed.with_name("encoder.pt")),
        "run.steps": 1,
    }  # fmt: skip
    trained = train(recipe_for(weighed, photos, {}, **frozen), weighed.parent / "run")
    assert trained.untrained == ()
    assert trained.assembly is not None
    planned = make_plan(load_assembly(trained.assembly)).weights.untrained
    assert planned is not None
    assert set(planned) == {bridge.rstrip(".") for bridge in BRIDGES}


@pytest.mark.usefixtures("plugins")
def test_a_plugin_that_no_step_moves_stays_untrained(weighed: Path, photos: Path) -> None:
    """Nothing simulates its prompt, so its learned part is as random at the end as it was."""
    seemkit.register(Gaze)
    still = {"model.overrides": {}, "optimiser.rates": {"all": 1}, "run.steps": 1}
    trained = train(recipe_for(weighed, photos, {}, **still), weighed.parent / "run")
    assert trained.assembly is not None
    assert make_plan(load_assembly(trained.assembly)).weights.untrained == {"prompts.local.gaze": 3 * 32}


def test_adapting_where_nothing_was_swapped_is_refused(weighed: Path, photos: Path) -> None:
    plain: dict[str, Any] = {"model.overrides": {}, "run.steps": 1}
    with pytest.raises(
        SeemkitError, match=r"'tiny-nano' leave none of that untrained; leave --adapt out to fine-tune"
    ):
        train(recipe_for(weighed, photos, {}, **plain), weighed.parent / "run", adapt=True)
    with pytest.raises(SeemkitError, match=r"model\.weights is 'none'; leave"):
        train(
            recipe_for(weighed, photos, {}, **plain, **{"model.weights": "none"}),
            weighed.parent / "run",
            adapt=True,
        )
    assert train(recipe_for(weighed, photos, {}, **plain), weighed.parent / "run").untrained == ()


def test_a_network_without_a_bridge_is_adapted_by_the_others() -> None:
    """The published networks read names from no map of their own."""
    network = torch.nn.ModuleDict({"pixel_decoder": torch.nn.ModuleDict({"lateral": torch.nn.Linear(2, 2)})})
    rates = rates_of(network, ADAPT)  # type: ignore[arg-type]
    assert rates == {"pixel_decoder.lateral.weight": 1.0, "pixel_decoder.lateral.bias": 1.0}

"""A swapped backbone: the plan says what is untrained, adapting moves that alone and all of it, names among it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from seemkit.assembly import load_assembly
from seemkit.pipeline.plan import make_plan
from seemkit.training.recipe import Recipe, load_recipe
from seemkit.training.start import ADAPT, build_start, rates_of
from seemkit.training.train import Trained, train
from seemkit.weights import save_weights

BRIDGES = ("pixel_decoder.lateral.", "pixel_decoder.in_proj.", "pixel_decoder.meaning.")
STATISTICS = "pixel_decoder.meaning.standard."
OTHER = {"backbone.model": "test_efficientnet"}


def recipe_for(assembly: Path, photos: Path, options: dict[str, Any]) -> Recipe:
    """Adapting to another backbone, in a few steps, on a folder of photos with options of the data set."""
    return load_recipe(
        "adapt",
        {
            "model.assembly": str(assembly), "model.overrides": dict(OTHER), "data.size": 64, "data.hold_out": 0,
            "data.sources": [{"use": "folder", "path": str(photos), **options}], "run.steps": 6, "run.batch": 4,
            "run.workers": 0, "run.pictures": 0, "run.log": 1, "run.tensorboard": False, "run.device": "cpu",
            "objective.points": {"matching": 100, "loss": 60}, "optimiser.average": 0,
        },
    )  # fmt: skip


@pytest.fixture
def adapt(
    tiny_yaml: Path, photos: Path, new_model: Callable[..., Any], one_thread: None
) -> Callable[[dict[str, Any]], Trained]:
    """Swap the backbone of a tiny model and adapt it."""

    def run(options: dict[str, Any]) -> Trained:
        folder = tiny_yaml.parent
        save_weights(new_model("nano", seed=3).network, folder / "tiny.safetensors", {})
        plain = yaml.safe_load(tiny_yaml.read_text())
        tiny_yaml.write_text(yaml.safe_dump({**plain, "weights": {"file": "tiny.safetensors"}}))
        return train(recipe_for(tiny_yaml, photos, options), folder / "run", adapt=True)

    return run


def test_only_what_the_other_backbone_leaves_untrained_is_moved_and_all_of_it(
    adapt: Callable[[dict[str, Any]], Trained], tiny_yaml: Path
) -> None:
    trained, folder = adapt({"category": "cell"}), tiny_yaml.parent
    planned = make_plan(load_assembly(tiny_yaml, dict(OTHER))).weights.untrained
    assert planned is not None
    assert {"image_encoder", *(bridge.rstrip(".") for bridge in BRIDGES)} == set(planned)
    assert trained.untrained == {
        "image_encoder",
        *(n for n in trained.untrained if n.startswith("pixel_decoder.")),
    }
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


def test_a_network_without_a_bridge_is_adapted_by_the_others() -> None:
    """The published networks read names from no map of their own."""
    network = torch.nn.ModuleDict({"pixel_decoder": torch.nn.ModuleDict({"lateral": torch.nn.Linear(2, 2)})})
    rates = rates_of(network, ADAPT)  # type: ignore[arg-type]
    assert rates == {"pixel_decoder.lateral.weight": 1.0, "pixel_decoder.lateral.bias": 1.0}

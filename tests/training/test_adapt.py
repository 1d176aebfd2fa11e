"""A swapped backbone: the plan says what is untrained, adapting moves that alone, and afterwards nothing is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import load_file

from seemkit.assembly import load_assembly
from seemkit.pipeline.plan import make_plan
from seemkit.training.recipe import load_recipe
from seemkit.training.train import train
from seemkit.weights import save_weights

BRIDGES = ("pixel_decoder.lateral.", "pixel_decoder.in_proj.", "pixel_decoder.meaning.")
STATISTICS = "pixel_decoder.meaning.standard."
OTHER = {"backbone.model": "test_efficientnet"}


def test_only_what_the_other_backbone_leaves_untrained_is_moved(
    tiny_yaml: Path, photos: Path, new_model: Callable[..., Any], one_thread: None
) -> None:
    folder = tiny_yaml.parent
    save_weights(new_model("nano", seed=3).network, folder / "tiny.safetensors", {})
    plain = yaml.safe_load(tiny_yaml.read_text())
    tiny_yaml.write_text(yaml.safe_dump({**plain, "weights": {"file": "tiny.safetensors"}}))
    planned = make_plan(load_assembly(tiny_yaml, dict(OTHER))).weights.untrained
    assert planned is not None
    assert {"image_encoder", *(bridge.rstrip(".") for bridge in BRIDGES)} == set(planned)

    recipe = load_recipe(
        "adapt",
        {
            "model.assembly": str(tiny_yaml), "model.overrides": dict(OTHER), "data.size": 64, "data.hold_out": 0,
            "data.sources": [{"use": "folder", "path": str(photos)}], "run.steps": 6, "run.batch": 4,
            "run.workers": 0, "run.pictures": 0, "run.log": 1, "run.tensorboard": False, "run.device": "cpu",
            "objective.points": {"matching": 100, "loss": 60}, "optimiser.average": 0,
        },
    )  # fmt: skip
    trained = train(recipe, folder / "run", adapt=True)
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
    assert (after[f"{STATISTICS}0.deviation"] != 1).any(), "taken from the pictures"
    assert trained.assembly is not None
    assert make_plan(load_assembly(trained.assembly)).weights.untrained == {}

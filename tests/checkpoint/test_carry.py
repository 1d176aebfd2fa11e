"""Weights carried over: what fits has the same values, the rest is refused or marked, and the terms go along."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open

import seemkit
from seemkit import Model
from seemkit.assembly import Assembly, load_assembly
from seemkit.checkpoint.carry import carry_weights
from seemkit.errors import WeightsError
from seemkit.pipeline.plan import make_plan
from seemkit.prompts import Point
from seemkit.weights import load_weights, save_weights
from seemkit.weights_fit import read_header

Plain = Callable[..., dict[str, Any]]
RECORD = {"assembly": "tiny-nano", "license": "CC BY 4.0", "recipe": "by hand", "source": "somewhere"}


@pytest.fixture
def model(new_model: Callable[..., Model]) -> Model:
    return new_model("nano")


@pytest.fixture
def weights(model: Model, tmp_path: Path) -> Path:
    return save_weights(model.network, tmp_path / "from.safetensors", RECORD)


@pytest.fixture
def to(assembly: Plain) -> Callable[..., Assembly]:
    return lambda preset="nano", **slots: load_assembly(assembly(preset, **slots))


def decoder(plain: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**plain["mask_decoder"], **changes}


def test_the_same_assembly_gets_everything_and_the_same_answers(
    model: Model,
    weights: Path,
    to: Callable[..., Assembly],
    assembly: Plain,
    photo: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    made = carry_weights(weights, to(), tmp_path / "to.safetensors")
    assert made.decision.untrained == {}
    assert made.decision.left == {}
    assert made.record["untrained"] == []
    loaded = seemkit.load(assembly("nano"), weights=made.path, device="cpu")
    ours, theirs = (m.segment(photo, Point(x=40, y=30)).logits for m in (model, loaded))
    assert ours is not None
    assert np.array_equal(ours, theirs)


def test_a_deeper_decoder_starts_from_what_there_is_and_is_refused_until_it_is_allowed(
    model: Model,
    weights: Path,
    to: Callable[..., Assembly],
    assembly: Plain,
    photo: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    plain = assembly("nano")
    plain["mask_decoder"] = decoder(plain, layers=4, queries=9)
    made = carry_weights(weights, load_assembly(plain), tmp_path / "to.safetensors")
    with pytest.raises(
        WeightsError,
        match=r"leaves 20 parameters untrained \(decoder\.layers\.3\..* and 17 more\)",
    ) as caught:
        seemkit.load(plain, weights=made.path)
    assert "\n" not in str(caught.value)
    loaded = seemkit.load(plain, weights=made.path, device="cpu", allow_untrained=True)
    own, before = loaded.network.state_dict(), model.network.state_dict()
    for name in made.decision.taken:
        assert torch.equal(own[name], before[name]), name
    assert set(own) == {*made.decision.taken, *made.decision.untrained}
    assert "decoder.queries.object" in loaded.network.untrained
    assert {part.split(".")[2] for part in loaded.network.untrained if part.startswith("decoder.layers")} == {
        "3"
    }
    assert len(loaded.segment(photo, Point(x=40, y=30))) == 1
    again = save_weights(loaded.network, tmp_path / "trained.safetensors", {})
    assert len(seemkit.load(plain, weights=again, device="cpu").segment(photo, Point(x=40, y=30))) == 1


def test_another_backbone_is_named_whole_and_plan_counts_it(
    weights: Path, assembly: Plain, tmp_path: Path
) -> None:
    plain = assembly("nano", backbone={"use": "timm", "model": "test_efficientnet"})
    made = carry_weights(weights, load_assembly(plain), tmp_path / "to.safetensors")
    assert "image_encoder." in made.record["untrained"]  # type: ignore[operator]
    assert not any(
        str(n).startswith("image_encoder.") and n != "image_encoder." for n in made.record["untrained"]
    )  # type: ignore[attr-defined]
    loaded = seemkit.load(plain, weights=made.path, device="cpu", allow_untrained=True)
    assert "image_encoder" in loaded.network.untrained
    assert any(part.startswith("pixel_decoder.lateral") for part in loaded.network.untrained)
    (tmp_path / "mine.yaml").write_text(
        json.dumps({"seemkit": 1, **plain, "weights": {"file": "to.safetensors"}})
    )
    plan = make_plan(load_assembly(tmp_path / "mine.yaml")).weights
    assert plan.untrained is not None
    assert plan.untrained["image_encoder"] == sum(
        p.numel() for p in loaded.network.image_encoder.parameters()
    )
    assert plan.problem is not None
    assert "leaves" in plan.problem
    assert plan.license == "CC BY 4.0"


def test_terms_and_origin_go_along_however_often_it_is_carried(
    weights: Path, to: Callable[..., Assembly], tmp_path: Path
) -> None:
    first = carry_weights(weights, to(), tmp_path / "one.safetensors")
    second = carry_weights(tmp_path / "one.safetensors", to(), tmp_path / "two.safetensors")
    about, _ = read_header(tmp_path / "two.safetensors")
    assert about["license"] == "CC BY 4.0"
    assert about["recipe"] == "carried over from one.safetensors"
    origin: Any = about["carried_from"]
    assert origin["file"] == "one.safetensors"
    assert origin["about"]["carried_from"]["about"] == RECORD
    assert origin["about"]["carried_from"]["sha256"] == first.record["carried_from"]["sha256"]  # type: ignore[index]
    assert second.notes == ()


def test_a_file_without_terms_says_so(model: Model, to: Callable[..., Assembly], tmp_path: Path) -> None:
    plain = save_weights(model.network, tmp_path / "plain.safetensors", {})
    made = carry_weights(plain, to(), None)
    assert made.path is None
    assert made.record["license"] == "not stated in the file"
    assert made.notes == (
        "the file names no assembly, so encoders are compared by the names and shapes of their parameters alone",
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plain.safetensors"]


def test_a_text_encoder_that_only_looks_alike_is_told_by_the_record(
    new_model: Callable[..., Model], assembly: Plain, tmp_path: Path
) -> None:
    """The heads of an encoder differ without a parameter that does: 32 channels are 2 heads of 16 or 4 of 8."""
    other = {"use": "unicl", "width": 32, "layers": 2, "heads": 4}
    source = save_weights(new_model("nano").network, tmp_path / "from.safetensors", {})
    first = carry_weights(source, load_assembly(assembly("nano")), tmp_path / "recorded.safetensors")
    assert first.decision.untrained == {}
    found = carry_weights(
        tmp_path / "recorded.safetensors", load_assembly(assembly("nano", text_encoder=other)), None
    )
    assert set(found.decision.untrained.values()) == {"of another text encoder"}
    assert "heads.class_proj" in found.decision.untrained


def test_input_that_is_normalised_otherwise_is_noted(
    model: Model, to: Callable[..., Assembly], tmp_path: Path
) -> None:
    source = save_weights(model.network, tmp_path / "from.safetensors", {"assembly": "nano"})
    grey = {"long": 96, "mean": [127, 127, 127], "std": [128, 128, 128]}
    (note,) = carry_weights(source, to(preprocess=grey), None).notes
    assert note.startswith(
        "the file was trained on input of mean (123.675, 116.28, 103.53) and deviation (58.395"
    )
    assert note.endswith("the assembly has (127.0, 127.0, 127.0) and (128.0, 128.0, 128.0)")


def test_the_other_variant_is_refused_and_so_is_what_fits_nothing(
    new_model: Callable[..., Model],
    weights: Path,
    to: Callable[..., Assembly],
    assembly: Plain,
    tmp_path: Path,
) -> None:
    v0 = save_weights(new_model("seem_v0").network, tmp_path / "v0.safetensors", {"variant": "v0"})
    with pytest.raises(WeightsError, match=r"holds weights of v0, and the assembly computes as v1"):
        carry_weights(v0, to("seem_v1"), tmp_path / "to.safetensors")
    assert carry_weights(v0, to("seem_v0"), None).record["variant"] == "v0"
    plain = assembly("seem_v1", backbone={"use": "timm", "model": "test_vit", "options": {}})
    del plain["backbone"]["options"]
    plain["pixel_decoder"] = {**plain["pixel_decoder"], "dim": 48, "ffn": 80, "mask_kernel": 1}
    plain["mask_decoder"] = decoder(plain, ffn=80, queries=7, memory_rows=3)
    plain["text_encoder"] = {"use": "unicl", "width": 16, "layers": 1, "heads": 2}
    with pytest.raises(
        WeightsError,
        match=r"nothing of from\.safetensors fits assembly 'tiny-seem-v1', and",
    ):
        carry_weights(weights, load_assembly(plain), tmp_path / "to.safetensors")
    assert not (tmp_path / "to.safetensors").exists()


def test_bad_files_and_targets_are_refused(
    weights: Path, to: Callable[..., Assembly], tmp_path: Path
) -> None:
    for target, why in (
        (weights, "is the file to carry over itself"),
        (tmp_path / "to.pt", r"is not a \.safetensors file; did you mean '.*to\.safetensors'\?"),
        (tmp_path / "none" / "to.safetensors", "there is no directory"),
    ):
        with pytest.raises(ValueError, match=why):
            carry_weights(weights, to(), target)
    with pytest.raises(WeightsError, match="there is no weights file"):
        carry_weights(tmp_path / "none.safetensors", to(), None)
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        carry_weights(weights, to(), None)


def test_parts_of_plugins_that_are_not_here_survive(
    model: Model, to: Callable[..., Assembly], tmp_path: Path
) -> None:
    model.network.foreign = {"prompts.acme.sound.weight": torch.ones(3)}
    model.network.plugins = {"acme.sound": {"distribution": "acme", "version": "2"}}
    source = save_weights(model.network, tmp_path / "from.safetensors", {})
    made = carry_weights(source, to(), tmp_path / "to.safetensors")
    with safe_open(str(made.path), framework="pt") as file:
        assert torch.equal(file.get_tensor("prompts.acme.sound.weight"), torch.ones(3))
    assert made.record["plugins"] == {"acme.sound": {"distribution": "acme", "version": "2"}}
    load_weights(model.network, tmp_path / "to.safetensors")
    assert list(model.network.foreign) == ["prompts.acme.sound.weight"]

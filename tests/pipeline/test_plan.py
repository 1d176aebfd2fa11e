"""A plan says what a model will be: held against the model itself, and without building or fetching anything."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import BaseModel
from torch import nn

import seemkit
from seemkit.api import BackboneShape
from seemkit.assembly import load_assembly
from seemkit.errors import SeemkitError, WeightsError
from seemkit.pipeline.peak_memory import PeakMemory
from seemkit.pipeline.plan import Plan, make_plan
from seemkit.weights import save_weights, write_weights

PHOTO = (72, 96)


def planned(source: Any, **overrides: Any) -> Plan:
    return make_plan(
        load_assembly(source, {k.replace("__", "."): v for k, v in overrides.items()}), photo=PHOTO
    )


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection, or reads a tensor of a weights file, fails the test."""

    def refuse(*given: object, **more: object) -> None:
        raise AssertionError("a plan fetches and loads nothing")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("seemkit.weights.load_weights", refuse)


@pytest.mark.usefixtures("offline")
def test_shapes_parameters_and_memory_are_those_of_the_model(
    new_model: Callable[..., Any], assembly: Callable[..., dict[str, Any]]
) -> None:
    plan = planned(assembly())
    model = new_model()
    scene = model.encode(np.zeros((*PHOTO, 3), np.uint8))
    stages = {stage.name: stage.shape for stage in plan.stages}
    assert stages["photo"] == (3, *PHOTO)
    assert stages["input"] == (3, *scene.padded)
    assert [stages[f"level {k}"] for k in range(3)] == [tuple(x.shape) for x in scene.levels]
    assert stages["finest map"] == tuple(scene.fine.shape)
    assert stages["mask logits"] == (8, *scene.fine.shape[1:])
    shape = model.assembly.backbone.settings
    assert shape.model == "test_resnet"
    assert [stages[f"backbone map {k}"][1] for k in range(4)] == [
        scene.padded[0] // s for s in (4, 8, 16, 32)
    ]
    assert sum(plan.parameters.values()) == sum(p.numel() for p in model.network.parameters())
    assert plan.parameters["decoder"] == sum(p.numel() for p in model.network.decoder.parameters())
    assert plan.memory is not None
    kept = sum(x.numel() * 4 for x in (*scene.levels, scene.fine)) + PHOTO[0] * PHOTO[1] * 3
    assert plan.memory.scene == kept
    held = {id(x): x for x in (*model.network.parameters(), *model.network.buffers())}
    assert plan.memory.weights == sum(x.numel() * x.element_size() for x in held.values())


def test_the_peak_on_the_meta_device_is_about_that_of_the_cpu(
    new_model: Callable[..., Any], assembly: Callable[..., dict[str, Any]]
) -> None:
    """Measured by the same counter on tensors with numbers; kernels differ in what they set aside within."""
    plan = planned(assembly())
    size = next(stage.shape for stage in plan.stages if stage.name == "input")
    network = new_model().network
    with torch.no_grad(), PeakMemory() as counted:
        network.encode(torch.zeros(1, *size))
    assert plan.memory is not None
    assert counted.peak / 1.5 <= plan.memory.encoding <= counted.peak * 1.5


def test_the_peak_counts_what_is_held_and_not_what_was_there() -> None:
    weights = torch.ones(1000)  # 4000 bytes, made outside
    with PeakMemory() as memory:
        made = torch.zeros(1000) + weights
        view = made.view(10, 100)
        del made
        assert memory.live == 4000
        view.add_(1)
        weights.view(10, 100).mul_(2)
        assert memory.live == 4000
        del view
    assert (memory.live, memory.peak) == (0, 8000)


@pytest.mark.usefixtures("offline")
def test_the_weights_of_nano_train_all_of_it() -> None:
    weights = planned("nano").weights
    assert weights.untrained == {}
    assert weights.problem is None
    assert weights.license == "see docs/models/nano.md"
    assert weights.file is not None
    assert weights.file.endswith("nano.safetensors")


def test_a_swapped_backbone_leaves_untrained_what_loading_it_says(
    new_model: Callable[..., Any], assembly: Callable[..., dict[str, Any]], tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    save_weights(new_model().network, "tiny.safetensors", {"license": "CC0", "recipe": "none"})
    other = {"use": "focal", "width": 8, "depths": [1, 1, 1, 1], "levels": 1}
    swapped = assembly(backbone=other, weights={"file": "tiny.safetensors"})
    plan = planned(swapped)
    model = seemkit.load(swapped, device="cpu", allow_untrained=True)
    parts = {name.partition(".")[0] if name == "image_encoder" else name for name in model.network.untrained}
    assert plan.weights.untrained is not None
    assert set(plan.weights.untrained) <= {
        "image_encoder", "pixel_decoder.lateral", "pixel_decoder.in_proj"
    }  # fmt: skip
    assert {name.rpartition(".")[0] if name[-1].isdigit() else name for name in plan.weights.untrained} == {
        ".".join(name.split(".")[:2]) for name in parts
    }
    assert plan.weights.untrained["image_encoder"] == plan.parameters["image_encoder"]
    assert plan.weights.problem is not None
    assert "allow_untrained=True" in plan.weights.problem
    assert (plan.weights.license, plan.weights.recipe) == ("CC0", "none")


@pytest.mark.parametrize("numbers", [torch.int64, torch.int8, torch.bool, torch.complex64])
def test_weights_of_another_kind_of_numbers_are_said_as_loading_says_it(
    new_model: Callable[..., Any],
    assembly: Callable[..., dict[str, Any]],
    tmp_path: Any,
    monkeypatch: Any,
    numbers: torch.dtype,
) -> None:
    monkeypatch.chdir(tmp_path)
    network = new_model().network
    mixed = {
        name: x.half() if n % 2 and x.is_floating_point() else x
        for n, (name, x) in enumerate(network.state_dict().items())
    }
    for name in ("heads.class_proj", "decoder.level_embed"):
        mixed[name] = mixed[name].to(numbers)
    write_weights(mixed, "tiny.safetensors", {})
    source = assembly(weights={"file": "tiny.safetensors"})
    weights = planned(source).weights
    assert weights.problem is not None
    assert f"is {str(numbers).removeprefix('torch.')}, expected float32 or another" in weights.problem
    assert "and 1 more like it" in weights.problem
    with pytest.raises(WeightsError) as caught:
        seemkit.load(source, device="cpu")
    assert str(caught.value) == weights.problem
    sizes = (network.heads.class_proj.numel(), network.decoder.level_embed.numel())
    assert weights.untrained is not None
    assert sorted(weights.untrained.values()) == sorted(sizes)


def test_weights_that_are_not_there_or_not_named_are_said(assembly: Callable[..., dict[str, Any]]) -> None:
    missing = planned(assembly(weights={"file": "gone.safetensors", "license": "MIT"})).weights
    assert missing.problem is not None
    assert "there is no weights file" in missing.problem
    assert (missing.size, missing.license) == (None, "MIT")
    unnamed = planned(assembly())
    assert unnamed.weights.file is None
    assert unnamed.weights.untrained is not None
    assert sum(unnamed.weights.untrained.values()) == sum(unnamed.parameters.values())


def about(plan: Plan, adapter: str) -> str | None:
    return next((said for said in plan.adapters if said.startswith(f"{adapter}:")), None)


def test_what_stands_in_between_is_said_and_why(assembly: Callable[..., dict[str, Any]]) -> None:
    plan = planned(assembly())
    assert "32, 48, 192, 96 channels and the decoder works with 32" in (about(plan, "laterals") or "")
    assert "multiple of 32" in (about(plan, "padding") or "")
    assert about(plan, "text projection") is None  # both are 32 wide
    assert about(plan, "simple pyramid") is None
    vit = planned(
        assembly(
            backbone={"use": "timm", "model": "test_vit", "pyramid_width": 40},
            text_encoder={"use": "static"},
            preprocess={"fixed": [160, 160]},
        )
    )
    assert "four maps of 40 channels" in (about(vit, "simple pyramid") or "")
    assert "texts are 128 wide and the decoder's rows 32" in (about(vit, "text projection") or "")
    assert "fit into 160 x 160" in (about(vit, "padding") or "")
    assert "preprocess.fixed asks for it" in (about(vit, "padding") or "")
    assert [s.shape for s in vit.stages if s.name == "input"] == [(3, 160, 160)]


@pytest.mark.usefixtures("offline")
def test_pretrained_weights_are_named_and_not_fetched(assembly: Callable[..., dict[str, Any]]) -> None:
    backbone = {"use": "timm", "model": "resnet18", "pretrained": True}
    text = {"use": "open_clip", "model": "ViT-B-32", "pretrained": "openai"}
    plan = planned(assembly(backbone=backbone, text_encoder=text))
    assert plan.notes == (
        "backbone.pretrained is True: those weights are fetched when the model is loaded",
        "text_encoder.pretrained is 'openai': those weights are fetched when the model is loaded",
    )
    assert plan.parts[0].options["pretrained"] is True


class Lies:
    """A backbone that gives other channels than it declares."""

    class Options(BaseModel):
        """None."""

    @staticmethod
    def declare(options: BaseModel) -> BackboneShape:
        return BackboneShape((4, 4, 4, 8))

    @staticmethod
    def build(options: BaseModel) -> nn.Module:
        return Steps()


class Steps(nn.Module):
    """Four maps of four channels."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 4, 4)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        x = self.convolution(image)
        return [x, x[..., ::2, ::2], x[..., ::4, ::4], x[..., ::8, ::8]]


@pytest.mark.usefixtures("plugins")
def test_a_backbone_that_lies_is_found_out(assembly: Callable[..., dict[str, Any]]) -> None:
    seemkit.register(Lies, "backbones", "lies")
    with pytest.raises(
        SeemkitError, match=r"the backbone 'lies' .* gave map 3 as \(1, 4, 2, 3\) where it declares 8"
    ):
        planned(assembly(backbone="lies"))


class Opaque(Steps):
    """Looks at numbers, which the meta device does not have."""

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        if float(image.sum()) > 1e9:
            raise AssertionError("zeros are small")
        return super().forward(image)


@pytest.mark.usefixtures("plugins")
def test_what_cannot_be_followed_without_numbers_is_planned_as_declared(
    assembly: Callable[..., dict[str, Any]],
) -> None:
    class Honest(Lies):
        """Declares what it gives."""

        @staticmethod
        def declare(options: BaseModel) -> BackboneShape:
            return BackboneShape((4, 4, 4, 4))

        @staticmethod
        def build(options: BaseModel) -> nn.Module:
            return Opaque()

    seemkit.register(Honest, "backbones", "opaque")
    plan = planned(assembly(backbone="opaque"))
    assert plan.memory is None
    assert "could only be followed in part" in plan.notes[0]
    assert [s.shape for s in plan.stages if s.name == "backbone map 3"] == [(4, 2, 3)]


@pytest.mark.usefixtures("offline")
def test_a_scene_that_is_looked_at_closer_holds_the_photo_for_it() -> None:
    plain, near = (planned("nano", pixel_decoder__closer=k) for k in (0, 2))
    height, width = {stage.name: stage.shape for stage in near.stages}["input"][1:]
    assert near.memory.scene - plain.memory.scene == 3 * 2 * height * 2 * width  # a byte a channel

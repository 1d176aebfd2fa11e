"""A sample of timm's families composes, and what a component does wrong is told from what it refuses."""

from typing import Any

import pytest
import torch
from pydantic import BaseModel

from seemkit.api import BackboneShape, SeemkitError
from seemkit.sweep.backbones import input_sizes, try_backbone

# small models of families that differ in how maps come out of them; with what is put around them
SAMPLE = {
    "mobilenetv4_conv_small_035": [],
    "test_convnext": [],
    "test_nfnet": [],
    "edgenext_xx_small": [],
    "sedarknet21": ["pyramid"],  # strides to 16
    "efficientvit_m0": ["pyramid"],  # strides 16 and 32
    "levit_128s": ["pyramid"],  # fixed size
    "test_vit": ["simple pyramid"],
    "test_vit_relpos": ["simple pyramid"],  # fixed size
    "test_maxvit": [],  # multiples of its own size
    "crossvit_tiny_240": ["resizing", "simple pyramid"],
    "legacy_xception": [],  # does not pad
}


@pytest.mark.parametrize(("model", "around"), SAMPLE.items())
def test_a_model_composes_and_runs(model: str, around: list[str]) -> None:
    first, last = try_backbone(model)
    assert (last.state, last.ran, last.reason) == ("composes", True, None)
    assert last.strides == (4, 8, 16, 32)
    assert [adapter.partition(":")[0] for adapter in last.adapters] == around
    assert last.parameters
    assert not first.ran


def test_a_large_model_runs_on_the_meta_device_only() -> None:
    (trial,) = try_backbone("test_resnet", largest=1000)
    assert (trial.state, trial.ran, trial.not_ran) == ("composes", False, "has 0 M parameters, over 0 M")


def test_a_name_that_is_unknown_is_refused_in_one_sentence() -> None:
    (trial,) = try_backbone("resnett18")
    assert trial.state == "refused"
    assert trial.reason == "'resnett18' is no model of timm; did you mean 'resnet18'?"


class Net(torch.nn.Module):
    """Maps at four strides, wrong in one way."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        if self.fault == "layer":
            raise RuntimeError("shapes do not\nfit")
        if self.fault == "memory" and not image.is_meta:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        channels = 5 if self.fault == "channels" else 4
        maps = [
            torch.nn.functional.avg_pool2d(image[:, :1], s).expand(-1, channels, -1, -1)
            for s in (4, 8, 16, 32)
        ]
        return [x * (float("nan") if self.fault == "nan" else self.weight) for x in maps]


class Faulty:
    """A backbone whose option says what it does wrong."""

    class Options(BaseModel):
        model: str

    @staticmethod
    def declare(options: Any) -> BackboneShape:
        if options.model == "refuses":
            raise SeemkitError("this one is not for you", path="model")
        if options.model == "declares":
            raise KeyError("stages")
        return BackboneShape(channels=(4, 4, 4, 4))

    @staticmethod
    def build(options: Any) -> torch.nn.Module:
        return Net(options.model)


@pytest.mark.parametrize(
    ("model", "state", "reason"),
    [
        ("fine", "composes", None),
        ("refuses", "refused", "this one is not for you"),
        ("declares", "failed", "KeyError: 'stages'"),
        ("layer", "failed", "RuntimeError: shapes do not fit"),
        ("channels", "failed", "gave map 0 as (1, 5, 16, 24) where it declares 4 channels"),
        ("nan", "failed", "gave numbers that are not finite in map 0"),
    ],
)
def test_what_is_refused_is_told_from_what_fails(
    model: str, state: str, reason: str | None, plugins: Any
) -> None:
    plugins.register("backbones", "faulty", Faulty)
    *_, last = try_backbone(model, component="faulty")
    assert last.state == state
    assert last.reason is None if reason is None else reason in (last.reason or "")
    assert last.ran == (state == "composes")


def test_a_model_for_which_there_is_no_memory_keeps_what_was_found_and_ends_its_process(plugins: Any) -> None:
    plugins.register("backbones", "faulty", Faulty)
    trials = try_backbone("memory", component="faulty")
    assert next(trials).state == "composes"
    with pytest.raises(RuntimeError, match="allocate memory"):
        next(trials)


def test_models_are_tried_at_a_small_size_and_at_the_smallest() -> None:
    def sizes(**given: Any) -> tuple[tuple[int, int], ...]:
        return input_sizes(BackboneShape(channels=(1, 1, 1, 1), **given))

    assert sizes() == ((64, 96), (32, 32))
    assert sizes(divisor=64) == ((64, 128), (64, 64))
    assert sizes(divisor=224) == ((224, 224),)
    assert sizes(fixed_size=(96, 128)) == ((96, 128),)

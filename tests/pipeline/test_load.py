"""From an assembly to a model: what does not fit is refused in one sentence, before anything is built."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import BaseModel
from torch import nn

import seemkit
from seemkit.api import BackboneShape
from seemkit.errors import SeemkitError
from seemkit.pipeline.build import build_network, check_shapes
from seemkit.prompts import Point
from seemkit_registry import RegistryError


class Backbone:
    """A backbone that declares what it is told to and must never be built."""

    class Options(BaseModel):
        """None."""

    shape = BackboneShape((4, 8, 16, 32))

    @classmethod
    def declare(cls, options: BaseModel) -> BackboneShape:
        return cls.shape

    @staticmethod
    def build(options: BaseModel) -> nn.Module:
        raise AssertionError("it was built")


def declares(shape: BackboneShape) -> None:
    seemkit.register(type("Other", (Backbone,), {"shape": shape}), "backbones", "other")


OTHER = {"use": "other"}


@pytest.mark.parametrize(
    ("shape", "more", "sentence", "path"),
    [
        (
            BackboneShape((4, 8, 16, 32), (2, 4, 8, 16)), {},
            r"backbone 'other' gives maps at strides \(2, 4, 8, 16\); .* needs \(4, 8, 16, 32\)", "backbone",
        ),
        (
            BackboneShape((4, 8, 16, 32), divisor=64), {"preprocess": {"divisor": 32}},
            "preprocess.divisor is 32; backbone 'other' needs a multiple of 64", "preprocess.divisor",
        ),
        (
            BackboneShape((4, 8, 16, 32), fixed_size=(224, 224)), {"preprocess": {"fixed": [256, 256]}},
            r"preprocess.fixed is \(256, 256\); backbone 'other' takes only \(224, 224\)", "preprocess.fixed",
        ),
    ],
    ids=["strides", "divisor", "fixed size"],
)  # fmt: skip
@pytest.mark.usefixtures("plugins")
def test_what_a_backbone_declares_must_fit(
    assembly: Callable[..., dict[str, Any]],
    shape: BackboneShape,
    more: dict[str, Any],
    sentence: str,
    path: str,
) -> None:
    declares(shape)
    with pytest.raises(SeemkitError, match=sentence) as caught:
        seemkit.load(assembly(backbone=OTHER, **more), weights=None)
    assert caught.value.path == path


@pytest.mark.usefixtures("plugins")
def test_what_a_backbone_declares_is_taken_where_nothing_is_given(
    assembly: Callable[..., dict[str, Any]],
) -> None:
    declares(
        BackboneShape(
            (4, 8, 16, 32), divisor=64, fixed_size=(128, 128), mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0)
        )
    )
    from seemkit.assembly import load_assembly

    _, preprocess = check_shapes(load_assembly(assembly(backbone=OTHER)))
    assert (preprocess.divisor, preprocess.fixed) == (64, (128, 128))
    assert (preprocess.mean, preprocess.std) == ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
    given = {"divisor": 128, "mean": [7, 7, 7], "std": [8, 8, 8]}
    _, preprocess = check_shapes(load_assembly(assembly(backbone=OTHER, preprocess=given)))
    assert (preprocess.divisor, preprocess.mean, preprocess.std) == (128, (7, 7, 7), (8, 8, 8))


def test_widths_that_do_not_split_are_refused_before_the_backbone_is_built(
    assembly: Callable[..., dict[str, Any]], plugins: Any
) -> None:
    declares(BackboneShape((4, 8, 16, 32)))
    heads = {**assembly()["mask_decoder"], "heads": 5}
    with pytest.raises(
        SeemkitError, match=r"assembly 'tiny-seem-v1' cannot be built: .*32 channels into 5 heads"
    ):
        seemkit.load(assembly(backbone=OTHER, mask_decoder=heads), weights=None)


def test_unknown_names_are_the_registrys_to_say(assembly: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(RegistryError, match="timm"):
        seemkit.load(assembly(backbone={"use": "tim"}), weights=None)
    with pytest.raises(RegistryError, match="nano"):
        seemkit.load("nanoo", weights=None)


def test_a_device_that_is_not_there_is_said(assembly: Callable[..., dict[str, Any]]) -> None:
    for name in ("cuda:99", "moon"):
        with pytest.raises(SeemkitError, match=f"device '{name}' is not there") as caught:
            seemkit.load(assembly(), weights=None, device=name)
        assert caught.value.path == "device"


def test_overrides_reach_the_network(assembly: Callable[..., dict[str, Any]]) -> None:
    model = seemkit.load(assembly(), weights=None, device="cpu", overrides={"mask_decoder.queries": 5})
    assert len(model.segment(np.zeros((40, 40, 3), np.uint8), Point(x=3, y=3), select="all")) == 5


def test_weights_take_no_gradient_and_the_model_is_in_evaluation(new_model: Callable[..., Any]) -> None:
    network = new_model().network
    assert not any(p.requires_grad for p in network.parameters())
    assert not any(part.training for part in network.modules())


def test_the_same_seed_builds_the_same_network(assembly: Callable[..., dict[str, Any]]) -> None:
    from seemkit.assembly import load_assembly

    states = []
    for _ in range(2):
        torch.manual_seed(4)
        network, _, _ = build_network(load_assembly(assembly("nano")))
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("preset", ["seem_v0", "seem_v1", "seem_demo", "nano"])
def test_candidates_limit_the_rows_of_an_object(
    assembly: Callable[..., dict[str, Any]], photo: NDArray[np.uint8], preset: str
) -> None:
    decoder = {**assembly(preset)["mask_decoder"], "candidates": 3}
    model = seemkit.load(assembly(preset, mask_decoder=decoder), weights=None, device="cpu")
    assert len(model.segment(photo, Point(x=3, y=3), select="all")) == 3
    everything = model.everything(photo, vocabulary=["a"], task="instance")
    assert len(everything) > 3  # everything mode has all eight queries

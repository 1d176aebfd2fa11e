"""The shipped assemblies of published models: sizes, preprocessing, and a whole load with random weights."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import seemkit
from seemkit.assembly import load_assembly
from seemkit.network.network import Network
from seemkit.pipeline.build import build_network, check_shapes
from seemkit.prompts import Point, Text

PARAMETERS = {
    "focalt": (164.62, 29.92),
    "focall": (341.18, 205.75),
    "davitd3": (221.87, 86.93),
    "davitd5": (496.56, 360.63),
    "samvitb": (215.56, 98.36),
    "samvitl": (440.54, 323.33),
}
"""Millions in the original networks, counted there: of everything, and of the backbone."""

VERSIONS = {name: ("v0", "v1", "demo") if name.startswith("focal") else ("v1",) for name in PARAMETERS}
SHIPPED = [f"seem-{name}-{version}" for name, versions in VERSIONS.items() for version in versions]
LARGE = [name for name in SHIPPED if not name.startswith("seem-focalt")]

SMALL_BACKBONE: dict[str, dict[str, Any]] = {
    "focalt": {"width": 16, "depths": [1, 1, 1, 1]},
    "focall": {"width": 16, "depths": [1, 1, 1, 1], "levels": 2},
    "davitd3": {"width": 16, "depths": [1, 1, 1, 1], "head_width": 8},
    "davitd5": {"width": 16, "depths": [1, 1, 1, 1], "head_width": 8},
    "samvitb": {"width": 16, "depth": 2, "heads": 2, "global_blocks": [1], "image_size": 64},
    "samvitl": {"width": 16, "depth": 2, "heads": 2, "global_blocks": [1], "image_size": 64},
}
SMALL_REST = {
    "pixel_decoder": {"dim": 32, "encoder_layers": 1, "heads": 2, "ffn": 64, "groups": 8},
    "mask_decoder": {"layers": 3, "queries": 8, "memory_rows": 4, "heads": 2, "ffn": 64},
    "text_encoder": {"width": 32, "layers": 1, "heads": 2},
    "preprocess": {"short": 60, "long": 64},
}


def millions(module: torch.nn.Module) -> float:
    return sum(p.numel() for p in module.parameters()) / 1e6


@pytest.fixture(scope="module", params=PARAMETERS)
def meta_network(request: pytest.FixtureRequest) -> tuple[str, Network]:
    """A network of the published size that takes no memory."""
    with torch.device("meta"):
        return request.param, build_network(load_assembly(f"seem-{request.param}-v1"))[0]


def test_parameters_are_as_many_as_in_the_original(meta_network: tuple[str, Network]) -> None:
    name, network = meta_network
    parts = (network, network.image_encoder)
    assert tuple(round(millions(part), 2) for part in parts) == PARAMETERS[name]
    assert round(millions(network.text_encoder), 2) == 63.43


@pytest.mark.parametrize("name", SHIPPED)
def test_preprocessing_thresholds_and_answers_are_the_published_ones(name: str) -> None:
    assembly = load_assembly(name)
    _, preprocess = check_shapes(assembly)
    demo, sam = name.endswith("demo"), "samvit" in name
    assert (preprocess.short, preprocess.long) == (
        (512, None) if demo else (1000, 1024) if sam else (800, 1333)
    )
    assert preprocess.fixed == ((1024, 1024) if sam else None)
    assert (preprocess.resample, preprocess.divisor) == ("bicubic", 32)
    assert preprocess.mean == (123.675, 116.28, 103.53)
    assert (assembly.thresholds.score, assembly.thresholds.overlap) == (0.4 if demo else 0.8, 0.8)
    assert assembly.answer_policy.use == ("priority" if demo else "fused")
    assert assembly.mask_decoder.settings.preset == f"seem_{name.rpartition('-')[2]}"  # type: ignore[attr-defined]
    assert assembly.pixel_decoder.use == ("deform" if sam else "fpn")


@pytest.mark.parametrize("name", SHIPPED)
def test_it_answers_from_photo_to_masks_with_smaller_numbers(name: str, photo: NDArray[np.uint8]) -> None:
    overrides = {
        f"{slot}.{option}": value
        for slot, options in {"backbone": SMALL_BACKBONE[name.split("-")[1]], **SMALL_REST}.items()
        for option, value in options.items()
    }
    model = seemkit.load(name, weights=None, device="cpu", overrides=overrides)
    answer_everything(model, photo)


def answer_everything(model: seemkit.Model, photo: NDArray[np.uint8]) -> None:
    session = model.session(photo, vocabulary=["cat", "dog"])
    session.add(Point(x=20, y=20))
    session.add(Text(text="a cat", object="2"))
    first = session.result()
    session.add(Point(x=60, y=50, include=False))
    for result in (first, session.result()):
        assert result.masks.shape == (2, *photo.shape[:2])
        assert np.isfinite(result.logits).all()
        assert [len(ranked) for ranked in result.labels] == [2, 2]
    assert len(model.everything(photo, vocabulary=["cat", "dog"], task="semantic")) >= 1


def test_seem_t_loads_at_full_size_and_answers(photo: NDArray[np.uint8]) -> None:
    smaller = {"preprocess.short": 64, "preprocess.long": 128}
    model = seemkit.load("seem-focalt-v1", weights=None, device="cpu", overrides=smaller)
    assert repr(model) == "Model(seem-focalt-v1, 164.6 M parameters, cpu)"
    assert model.segment(photo, Point(x=20, y=20)).masks.shape == (1, 72, 96)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_larger_ones_load_at_full_size_and_answer(name: str, photo: NDArray[np.uint8]) -> None:
    answer_everything(seemkit.load(name, weights=None, device="cpu"), photo)

"""Conversion of published files, on small networks saved under the published names."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seemkit.checkpoint.convert import convert_checkpoint, read_published
from seemkit.checkpoint.keys import Family, shape_to_theirs, to_theirs
from seemkit.errors import WeightsError
from seemkit.network.decoder import Seem
from seemkit.network.network import Network
from seemkit.network.pixel_decoder import FPN
from seemkit.weights import load_weights
from seemkit_backbones.davit import DaViT
from seemkit_backbones.focal import Focal
from seemkit_backbones.focal_large import FocalLarge
from seemkit_backbones.sam_vit import SamViT
from seemkit_text.unicl import UniCL

SMALL: dict[Family, tuple[Any, Any]] = {
    "focal": (Focal, {"width": 8, "depths": (1, 1, 1, 1), "levels": 1}),
    "focal_large": (FocalLarge, {"width": 8, "depths": (1, 1, 1, 1), "levels": 1}),
    "davit": (DaViT, {"width": 8, "depths": (1, 1, 1, 1), "head_width": 4}),
    "sam_vit": (
        SamViT,
        {
            "width": 8,
            "depth": 2,
            "heads": 2,
            "global_blocks": (1,),
            "image_size": 64,
            "channels": (4, 4, 8, 8),
        },
    ),
}


def build(seed: int, queries: int = 5, family: Family = "focal") -> Network:
    torch.manual_seed(seed)
    component, options = SMALL[family]
    backbone = component.Options(**options)
    pixels = FPN.Options(dim=16, encoder_layers=1, heads=2, ffn=16, groups=4)
    decoder = Seem.Options(preset="seem_v0", heads=2, ffn=16, layers=2, queries=queries, memory_rows=3)
    return Network(
        component.build(backbone),
        FPN.build(pixels, component.declare(backbone)),
        Seem.build(decoder, pixels.dim),
        UniCL.build(UniCL.Options(width=16, layers=1, heads=2)),
        16,
    )


def publish(network: Network, family: Family = "focal") -> dict[str, Tensor]:
    """The state dict as the original would have saved it, buffers included."""
    theirs = {
        to_theirs(key, family): value.reshape(shape_to_theirs(key, value.shape, family))
        for key, value in network.state_dict().items()
    }
    return {"dilation_kernel": torch.ones(1, 1, 3, 3), "criterion.empty_weight": torch.ones(4), **theirs}


def save(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "seem_tiny.pt"
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda weights: weights, id="published"),
        pytest.param(
            lambda weights: {
                "module": {f"module.model.{key}": value for key, value in weights.items()},
                "epoch": 3,
            },
            id="training checkpoint",
        ),
    ],
)
def test_a_published_file_becomes_a_weights_file_with_the_same_values(tmp_path: Path, wrap: Any) -> None:
    trained, fresh, loaded = build(seed=1), build(seed=2), build(seed=3)
    source = save(tmp_path, wrap(publish(trained)))
    target = convert_checkpoint(source, tmp_path / "out.safetensors", fresh, {"assembly": "tiny"})
    about = load_weights(loaded, target)
    assert (about["assembly"], about["source"]) == ("tiny", "seem_tiny.pt")
    for key, value in trained.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[key])
        assert torch.equal(value, fresh.state_dict()[key])


@pytest.mark.parametrize("family", ["focal_large", "davit", "sam_vit"])
def test_the_other_families_are_converted_too(tmp_path: Path, family: Family) -> None:
    trained, fresh = build(seed=1, family=family), build(seed=2, family=family)
    source = save(tmp_path, publish(trained, family))
    convert_checkpoint(source, tmp_path / "out.safetensors", fresh, {})
    for key, value in trained.state_dict().items():
        assert torch.equal(value, fresh.state_dict()[key])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda w: w.pop("sem_seg_head.predictor.class_embed"), r"it has no heads\.class_proj$"),
        (
            lambda w: w.update({"backbone.extra.weight": torch.ones(1)}),
            r"the unwanted image_encoder\.extra\.weight",
        ),
        (lambda w: w.update({"something.else": torch.ones(1)}), r"parameter 'something\.else' is none"),
        (
            lambda w: w.pop("backbone.layers.0.blocks.0.dw1.weight"),
            r"it has no image_encoder\.layers\.0\.blocks\.0\.dw1\.weight$",
        ),
        (lambda w: [w.pop(k) for k in list(w) if k.startswith("backbone.")], "no SEEM file"),
    ],
)
def test_what_does_not_fit_exactly_is_refused_and_nothing_is_written(
    tmp_path: Path, change: Any, sentence: str
) -> None:
    weights = publish(build(seed=1))
    change(weights)
    source, target = save(tmp_path, weights), tmp_path / "out.safetensors"
    with pytest.raises(WeightsError, match=sentence):
        convert_checkpoint(source, target, build(seed=2), {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["seem_tiny.pt"]


def test_other_shapes_are_refused_and_the_network_is_left_alone(tmp_path: Path) -> None:
    network = build(seed=2)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    source = save(tmp_path, publish(build(seed=1, queries=6)))
    with pytest.raises(WeightsError, match=r"another shape of decoder\.queries\.object\.content"):
        convert_checkpoint(source, tmp_path / "out.safetensors", network, {})
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in before.items())


class Danger:
    """What unpickling would run, if it were allowed to."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path.mkdir, (Path("never"),)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "content", [{"a": Danger()}, [1, 2], {"model": "text"}], ids=["code", "list", "text"]
)
def test_a_file_that_holds_more_than_tensors_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(WeightsError, match=r"seem_tiny\.pt (is no PyTorch file|holds no state dict)"):
        read_published(save(tmp_path, content))
    assert not Path("never").exists()


def test_a_truncated_or_missing_file_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, publish(build(seed=1)))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="is no PyTorch file"):
        read_published(path)
    with pytest.raises(WeightsError, match="there is no file"):
        read_published(tmp_path / "nothing.pt")

"""Weights files: strict, whole, and able to be stored in half precision."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

import seemkit
from seemkit import Model
from seemkit.errors import WeightsError
from seemkit.network.network import Network
from seemkit.prompts import Point
from seemkit.weights import load_weights, save_weights
from seemkit.weights_fit import part_of, read_header


@pytest.fixture
def network(new_model: Callable[..., Model]) -> Network:
    return new_model("nano").network


@pytest.fixture
def other(new_model: Callable[..., Model]) -> Network:
    return new_model("nano", seed=1).network


@pytest.fixture
def saved(network: Network, tmp_path: Path) -> Path:
    return save_weights(network, tmp_path / "w.safetensors", {"assembly": "tiny", "license": "CC0"})


def same(a: Network, b: Network) -> bool:
    one, two = a.state_dict(), b.state_dict()
    return one.keys() == two.keys() and all(torch.equal(one[n], two[n]) for n in one)


def rewrite(path: Path, change: Callable[[dict[str, Tensor], dict[str, Any]], Any]) -> None:
    with safe_open(str(path), framework="pt") as file:
        about = json.loads(file.metadata()["seemkit"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    change(tensors, about)
    save_file(tensors, str(path), metadata={"seemkit": json.dumps(about)})


def test_what_is_saved_is_loaded(network: Network, other: Network, saved: Path) -> None:
    assert not same(network, other)
    about = load_weights(other, saved)
    assert same(network, other)
    assert about["assembly"] == "tiny"
    assert about["license"] == "CC0"
    assert about["format"] == "seemkit-weights-1"


@pytest.mark.skipif(os.name != "posix", reason="other systems have other permissions")
def test_others_may_read_what_the_umask_lets_them(network: Network, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        path = save_weights(network, tmp_path / "w.safetensors", {})
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


def test_half_storage_is_read_as_float32(network: Network, other: Network, tmp_path: Path) -> None:
    with torch.no_grad():
        network.decoder.level_embed[0, 0] = 1e6  # more than half precision holds
    path = save_weights(network, tmp_path / "half.safetensors", {}, half=True)
    whole = save_weights(network, tmp_path / "whole.safetensors", {})
    assert path.stat().st_size < 0.6 * whole.stat().st_size
    load_weights(other, path)
    for name, value in other.state_dict().items():
        before = network.state_dict()[name]
        assert value.dtype == before.dtype
        if name == "decoder.level_embed":
            assert torch.equal(value, before)
        elif value.is_floating_point():
            assert torch.equal(value, before.half().float()), name
        else:
            assert torch.equal(value, before), name
    # and storing what was read loses nothing more
    again = save_weights(other, tmp_path / "again.safetensors", {}, half=True)
    load_weights(network, again)
    assert same(network, other)


def test_eight_bit_storage_is_read_as_float32_within_half_a_step(
    network: Network, other: Network, tmp_path: Path
) -> None:
    prefix = "image_encoder."
    path = save_weights(network, tmp_path / "small.safetensors", {}, half=True, eight_bit=(prefix,))
    half = save_weights(network, tmp_path / "half.safetensors", {}, half=True)
    assert path.stat().st_size < half.stat().st_size
    load_weights(other, path)
    before, rounded = network.state_dict(), 0
    for name, value in other.state_dict().items():
        x = before[name]
        assert value.dtype == x.dtype
        if name.startswith(prefix) and x.is_floating_point() and x.dim() > 1 and x.numel() >= 4096:
            step = x.flatten(1).abs().amax(1) / 127
            assert bool(((value - x).flatten(1).abs().amax(1) <= 0.501 * step).all()), name
            rounded += 1
        elif value.is_floating_point():
            assert torch.equal(value, x.half().float()), name
    assert rounded
    # names and shapes are those of the weights, and storing what was read loses nothing more
    assert read_header(path)[1] == read_header(half)[1]
    again = save_weights(other, tmp_path / "again.safetensors", {}, half=True, eight_bit=(prefix,))
    load_weights(network, again)
    assert all(torch.allclose(x, before) for x, before in zip(weights(network), weights(other), strict=True))


def weights(network: Network) -> list[torch.Tensor]:
    return [x for x in network.state_dict().values() if x.is_floating_point()]


def test_what_is_left_out_is_not_missed(network: Network, other: Network, tmp_path: Path) -> None:
    before = {n: x.clone() for n, x in other.state_dict().items() if n.startswith("text_encoder.")}
    path = save_weights(network, tmp_path / "w.safetensors", {}, leave_out=("text_encoder.",))
    load_weights(other, path)
    after = other.state_dict()
    assert all(torch.equal(after[n], x) for n, x in before.items())
    assert torch.equal(after["decoder.level_embed"], network.decoder.level_embed)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t, a: t.pop("decoder.level_embed"), "it lacks decoder.level_embed$"),
        (lambda t, a: t.update(extra=torch.zeros(1)), "it has unknown extra$"),
        (
            lambda t, a: t.update({"prompts.conditioning.extra": torch.zeros(1)}),
            "it has unknown prompts.conditioning.extra",
        ),
        (
            lambda t, a: t.update({"decoder.level_embed": torch.zeros(3, 5)}),
            "it has misshapen decoder.level_embed$",
        ),
        (
            lambda t, a: [t.pop(n) for n in [*t] if n.startswith("heads.")],
            r"it lacks heads\.class_proj, .* and 8 more$",
        ),
        (
            lambda t, a: [t.pop(n) for n in [*t] if n.startswith("image_encoder.")],
            "it lacks image_encoder.* .seemkit train --adapt. it, or in Python load it with allow",
        ),
        (
            lambda t, a: t.update({"decoder.level_embed": t["decoder.level_embed"].long()}),
            "decoder.level_embed is int64, expected float32 or another precision of it;",
        ),
        (lambda t, a: a.update(format="seemkit-weights-2"), "is not a weights file of the form"),
    ],
    ids=[
        "lacks",
        "unknown",
        "unknown of the core",
        "misshapen",
        "lacks many",
        "lacks the backbone",
        "other numbers",
        "format",
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_changed(
    network: Network,
    other: Network,
    saved: Path,
    new_model: Callable[..., Model],
    change: Callable[[dict[str, Tensor], dict[str, Any]], Any],
    sentence: str,
) -> None:
    rewrite(saved, change)
    with pytest.raises(WeightsError, match=sentence) as caught:
        load_weights(other, saved)
    assert "\n" not in str(caught.value)
    assert same(other, new_model("nano", seed=1).network)


def test_weights_of_another_preset_do_not_fit(saved: Path, assembly: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(WeightsError, match="does not fit the assembly: it has unknown "):
        seemkit.load(assembly("seem_v0"), weights=saved, device="cpu")


def test_a_missing_file_is_said(network: Network, tmp_path: Path) -> None:
    for path in (tmp_path / "w.safetensors", tmp_path):
        with pytest.raises(WeightsError, match="there is no weights file"):
            load_weights(network, path)


@pytest.mark.parametrize("share", [0, 0.0001, 0.5, 0.9999])
def test_a_truncated_file_is_said(other: Network, saved: Path, share: float) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(WeightsError, match="is not a whole safetensors file"):
        load_weights(other, saved)


def test_a_file_that_says_nothing_of_itself_needs_to_fit_only(
    network: Network, other: Network, tmp_path: Path
) -> None:
    path = tmp_path / "plain.safetensors"
    save_file({n: x.contiguous() for n, x in network.state_dict().items()}, str(path))
    assert load_weights(other, path) == {}
    assert same(network, other)


def test_the_recorded_hash_is_held_against_the_file(
    other: Network, saved: Path, new_model: Callable[..., Model]
) -> None:
    with pytest.raises(WeightsError, match="is not the file that the assembly records: its SHA-256 differs"):
        load_weights(other, saved, sha256="0" * 64)
    assert same(other, new_model("nano", seed=1).network)
    load_weights(other, saved, sha256=hashlib.sha256(saved.read_bytes()).hexdigest())


def test_an_assembly_names_its_weights(
    saved: Path, assembly: Callable[..., dict[str, Any]], network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(saved.parent)
    recorded = hashlib.sha256(saved.read_bytes()).hexdigest()
    weights = {"file": saved.name, "sha256": recorded}
    assert same(seemkit.load(assembly("nano", weights=weights), device="cpu").network, network)
    with pytest.raises(WeightsError, match="SHA-256 differs"):
        seemkit.load(assembly("nano", weights={**weights, "sha256": "1" * 64}), device="cpu")
    with pytest.raises(WeightsError, match="there is no weights file"):
        seemkit.load(assembly("nano", weights={"file": "gone.safetensors"}), device="cpu")


def test_an_assembly_without_weights_is_loaded_only_on_request(
    assembly: Callable[..., dict[str, Any]],
) -> None:
    with pytest.raises(WeightsError, match="names no weights; give weights=PATH, or weights=None for random"):
        seemkit.load(assembly("nano"), device="cpu")


def test_a_save_that_fails_leaves_what_was_there(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    path.write_text("something else")

    def fail(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(WeightsError, match="No space left on device"):
        save_weights(network, path, {})
    assert path.read_text() == "something else"
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]
    with pytest.raises(WeightsError, match="there is no directory"):
        save_weights(network, tmp_path / "nowhere" / "w.safetensors", {})


SWAPPED = {"backbone": {"use": "timm", "model": "test_efficientnet"}}


def test_a_swapped_backbone_is_refused_unless_allowed(
    saved: Path, network: Network, assembly: Callable[..., dict[str, Any]], photo: NDArray[np.uint8]
) -> None:
    swapped = assembly("nano", **SWAPPED)
    with pytest.raises(WeightsError, match="it was trained with another backbone: to use the rest of it"):
        seemkit.load(swapped, weights=saved, device="cpu")
    model = seemkit.load(swapped, weights=saved, device="cpu", allow_untrained=True)
    untrained = model.network.untrained
    assert "image_encoder" in untrained
    assert {name.split(".")[1] for name in untrained - {"image_encoder"}} <= {
        "lateral",
        "in_proj",
        "meaning",
    }
    ours, theirs = model.network.state_dict(), network.state_dict()
    rest = [
        n
        for n in ours
        if not n.startswith(
            ("image_encoder.", "pixel_decoder.lateral", "pixel_decoder.in_proj", "pixel_decoder.meaning")
        )
    ]
    assert all(torch.equal(ours[n], theirs[n]) for n in rest)
    assert len(model.segment(photo, Point(x=20, y=20))) == 1


def test_allowing_untrained_parts_allows_nothing_else(
    saved: Path, assembly: Callable[..., dict[str, Any]]
) -> None:
    rewrite(saved, lambda t, a: t.pop("decoder.level_embed"))
    with pytest.raises(WeightsError, match=r"it lacks decoder\.level_embed$"):
        seemkit.load(assembly("nano", **SWAPPED), weights=saved, device="cpu", allow_untrained=True)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("prompts.acme.gaze.weight", "acme.gaze"),
        ("prompts.acme.gaze.net.0.bias", "acme.gaze"),
        ("prompts.region.sign_embed", None),
        ("prompts.region.level_proj.0", None),
        ("prompts.memory.content", None),
        ("prompts.phrase.weight", None),
        ("decoder.layers.0.ffn.fc1.weight", None),
    ],
)
def test_parameters_of_plugins_are_told_by_their_names(name: str, part: str | None) -> None:
    assert part_of(name) == part


def test_every_part_of_the_core_is_known_as_such(network: Network) -> None:
    # else a file of another preset would be taken for one of an absent plugin
    assert {part_of(name) for name in network.state_dict()} == {None}

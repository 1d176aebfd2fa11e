"""Scenes as files: the same bits after loading, and one sentence for whatever is no scene."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file

from seemkit import Model, Scene
from seemkit.errors import SceneError
from seemkit.prompts import Box, Point, Reference, Text

PROMPTS = [Point(x=20, y=20), Box(x1=3, y1=3, x2=60, y2=50, object="b"), Text(text="a dog", object="b")]


@pytest.fixture
def model(tiny_model: Callable[[str], Model]) -> Model:
    return tiny_model("nano")


@pytest.fixture
def scene(model: Model, photo: NDArray[np.uint8]) -> Scene:
    return model.encode(photo)


@pytest.fixture
def saved(scene: Scene, tmp_path: Path) -> Path:
    return scene.save(tmp_path / "photo.scene")


def test_a_loaded_scene_gives_the_same_bits(model: Model, scene: Scene, saved: Path) -> None:
    loaded = Scene.load(saved)
    assert loaded.image is None
    assert (loaded.grid, loaded.padded, loaded.size) == (scene.grid, scene.padded, (72, 96))
    assert loaded.fingerprint == scene.fingerprint
    for field in ("masks", "scores", "selection", "logits"):
        one, two = (getattr(model.segment(s, PROMPTS), field) for s in (scene, loaded))
        assert np.array_equal(one, two), field


def test_a_scene_of_a_batch_is_saved_alone(
    model: Model, new_photo: Callable[..., NDArray[np.uint8]], tmp_path: Path
) -> None:
    scenes = model.encode_many([new_photo(72, 96, seed) for seed in range(3)])
    path = scenes[1].save(tmp_path / "one.scene")
    loaded = Scene.load(path)
    assert set(loaded.maps) == {"level0", "level1", "level2", "fine", "meaning"}
    for name, x in scenes[1].maps.items():
        assert torch.equal(x, loaded.maps[name])
    held = sum(x.numel() for x in loaded.maps.values()) * 4
    assert path.stat().st_size < held + 2000


def test_a_loaded_scene_serves_as_a_reference_and_in_a_session(
    model: Model, saved: Path, scene: Scene
) -> None:
    loaded = Scene.load(saved)
    one, two = (
        model.session(scene).add(Reference(image=s, prompts=[Point(x=9, y=9)])).result()
        for s in (scene, loaded)
    )
    assert np.array_equal(one.logits, two.logits)


def test_another_model_refuses_it(new_model: Callable[..., Model], saved: Path) -> None:
    with pytest.raises(SceneError, match="was made by another encoder or preprocessing"):
        new_model("nano", seed=1).segment(Scene.load(saved), PROMPTS)


def test_saving_takes_the_place_of_a_file_and_leaves_nothing_else(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "photo.scene"
    path.write_text("something else")
    scene.save(str(path))
    assert Scene.load(str(path)).fingerprint == scene.fingerprint
    assert [p.name for p in tmp_path.iterdir()] == ["photo.scene"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask  # as any file that is written


def test_a_save_that_fails_leaves_what_was_there(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo.scene"
    path.write_text("something else")

    def fail(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SceneError, match=r"the scene was not saved: .*No space left on device"):
        scene.save(path)
    assert path.read_text() == "something else"
    assert [p.name for p in tmp_path.iterdir()] == ["photo.scene"]


def test_a_folder_that_is_not_there_is_said(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"the scene was not saved: .*there is no directory"):
        scene.save(tmp_path / "nowhere" / "photo.scene")


def refuses(path: Path, sentence: str) -> None:
    with pytest.raises(SceneError, match=sentence) as caught:
        Scene.load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    refuses(tmp_path / "photo.scene", "there is no scene file")
    refuses(tmp_path, "there is no scene file")


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.3, 0.9, 0.9999])
def test_a_truncated_file_is_said(saved: Path, share: float) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(len(whole) * share)])
    refuses(saved, "is not a whole scene file; encode the image again")


@pytest.mark.parametrize("content", [b"", b"not a scene", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(1000)])
def test_a_file_of_another_kind_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.scene"
    path.write_bytes(content)
    refuses(path, "is not a whole scene file")


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], Any]) -> None:
    """Change tensors and what is said of them."""
    with safe_open(str(path), framework="pt") as file:
        about = json.loads(file.metadata()["seemkit"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    change(about, tensors)
    save_file(tensors, str(path), metadata={"seemkit": json.dumps(about)})


@pytest.mark.parametrize(
    "change",
    [
        lambda about, tensors: about.pop("grid"),
        lambda about, tensors: about.update(grid=[3]),
        lambda about, tensors: about.update(image="large"),
        lambda about, tensors: about.update(format="seemkit-scene-9"),
        lambda about, tensors: about.clear(),
        lambda about, tensors: tensors.pop("level1"),
        lambda about, tensors: tensors.pop("fine"),
    ],
)
def test_a_file_that_lacks_something_is_said(
    saved: Path, change: Callable[[dict[str, Any], dict[str, Any]], Any]
) -> None:
    rewrite(saved, change)
    refuses(saved, "is not a whole scene file")


def test_maps_of_another_shape_are_said(saved: Path) -> None:
    rewrite(saved, lambda about, tensors: tensors.update(level0=torch.zeros(5, 2, 3)))
    refuses(saved, "holds maps of shapes .* which are no scene's")


def test_weights_are_no_scene(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"x": torch.zeros(3)}, str(path))
    refuses(path, "is not a whole scene file")


def test_the_fingerprint_is_of_encoder_and_pixels(
    model: Model, new_model: Callable[..., Model], photo: NDArray[np.uint8], scene: Scene
) -> None:
    assert model.encode(photo.copy()).fingerprint == scene.fingerprint
    other = photo.copy()
    other[3, 3, 1] ^= 1
    assert model.encode(other).fingerprint != scene.fingerprint
    assert new_model("nano", seed=1).encode(photo).fingerprint != scene.fingerprint
    assert new_model("nano", preprocess={"short": 64}).encode(photo).fingerprint != scene.fingerprint

"""Scenes for a folder: encoded once, kept where they fit, and whatever cannot be read is reported."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import seemkit
from seemkit import Scene
from seemkit.api import hookimpl
from seemkit.errors import ImageError, SeemkitError
from seemkit.pipeline.encode_folder import encode_folder
from seemkit.prompts import Point


@pytest.fixture
def model(tiny_model):
    return tiny_model("seem_v1")


@pytest.fixture
def photos(tmp_path, new_photo) -> Path:
    """Four photos, one below; a damaged one, a text of another name, and a file that is hidden."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for seed, name in enumerate(("a10.png", "a2.jpg", "sub/a2.jpg", "b.webp")):
        Image.fromarray(new_photo(40 + seed % 2, 56, seed)).save(folder / name)
    (folder / "cut.jpg").write_bytes((folder / "a2.jpg").read_bytes()[:200])
    (folder / "notes.txt").write_text("no photo")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


def test_every_image_has_a_scene_of_the_same_bits_as_if_it_was_encoded_alone(model, photos, tmp_path):
    report = encode_folder(model, photos, tmp_path / "out")
    assert report.encoded == ["a2.jpg", "a10.png", "b.webp", "sub/a2.jpg"]  # a2 before a10
    assert [each.file for each in report.unread] == ["cut.jpg"]
    assert "damaged or truncated JPEG" in report.unread[0].cause
    assert (report.kept, report.others) == ([], 1)
    for name in report.encoded:
        scene = Scene.load(tmp_path / "out" / f"{name}.scene")
        alone = model.encode(photos / name)
        assert scene.fingerprint == alone.fingerprint
        assert torch.equal(scene.fine, alone.fine)
    assert json.loads(json.dumps(report.as_dict()))["unread"][0]["file"] == "cut.jpg"


def test_a_second_run_encodes_only_what_is_new_changed_or_broken(model, photos, tmp_path):
    out = tmp_path / "out"
    encode_folder(model, photos, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.scene")}
    again = encode_folder(model, photos, out)
    assert (again.encoded, len(again.kept)) == ([], 4)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.scene")} == before
    Image.fromarray(np.full((30, 30, 3), 7, np.uint8)).save(photos / "b.webp", lossless=True)
    broken = out / "a10.png.scene"
    broken.write_bytes(broken.read_bytes()[:-100])
    (out / "sub/a2.jpg.scene").unlink()
    third = encode_folder(model, photos, out)
    assert third.encoded == ["a10.png", "b.webp", "sub/a2.jpg"]
    assert third.kept == ["a2.jpg"]


def test_work_that_was_broken_off_is_taken_up_again(model, photos, tmp_path):
    def stop(done, count, name):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_folder(model, photos, tmp_path / "out", tell=stop)
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == ["a10.png.scene", "a2.jpg.scene"]
    report = encode_folder(model, photos, tmp_path / "out")
    assert len(report.kept) == 2
    assert len(report.encoded) == 2


def test_another_encoder_replaces_the_scenes(model, new_model, photos, tmp_path):
    encode_folder(model, photos, tmp_path / "out")
    other = new_model("seem_v1", seed=5)
    assert len(encode_folder(other, photos, tmp_path / "out").encoded) == 4
    scene = Scene.load(tmp_path / "out/a2.jpg.scene")
    assert len(other.segment(scene, Point(x=5, y=5))) == 1
    with pytest.raises(SeemkitError, match="another encoder"):
        model.segment(scene, Point(x=5, y=5))


def test_images_may_be_encoded_together(model, photos, tmp_path):
    report = encode_folder(model, photos, tmp_path / "out", batch=3)
    assert len(report.encoded) == 4
    for name in report.encoded:
        scene, alone = Scene.load(tmp_path / "out" / f"{name}.scene"), model.encode(photos / name)
        assert scene.fingerprint == alone.fingerprint
        assert torch.allclose(scene.fine, alone.fine, atol=1e-4)


def test_an_image_that_the_encoder_refuses_is_reported_and_the_others_go_on(
    model, photos, tmp_path, monkeypatch
):
    encode = type(model).encode_many

    def picky(self, images, batch=4):
        if any(image.shape[0] == 41 for image in images):
            raise SeemkitError("41 rows are too many")
        return encode(self, images, batch)

    monkeypatch.setattr(type(model), "encode_many", picky)
    report = encode_folder(model, photos, tmp_path / "out", batch=4)
    assert {each.file: each.cause for each in report.unread if each.file != "cut.jpg"} == {
        "a2.jpg": "41 rows are too many",
        "b.webp": "41 rows are too many",
    }
    assert report.encoded == ["a10.png", "sub/a2.jpg"]


def test_scenes_within_the_folder_are_no_images_of_it(model, photos):
    first = encode_folder(model, photos, photos / "scenes")
    again = encode_folder(model, photos, photos / "scenes")
    assert (again.kept, again.others) == (first.encoded, 1)


def test_pixels_that_a_hook_replaces_are_those_that_count(assembly, plugins, photos, tmp_path):
    class Halve:
        @hookimpl
        def before_encode(self, image):
            return image // 2

    plugins.register("hooks", "halve", Halve)
    model = seemkit.load(assembly(), weights=None, device="cpu")
    encode_folder(model, photos, tmp_path / "out")
    assert len(encode_folder(model, photos, tmp_path / "out").kept) == 4


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone", "the folder '.*gone' does not exist"),
        ("photos/notes.txt", "is a file, expected a folder of images"),
        ("empty", "the folder '.*empty' holds no image"),
    ],
)
def test_a_folder_without_images_is_one_sentence(model, photos, tmp_path, name, says):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match=says):
        encode_folder(model, tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_scene_that_cannot_be_written_ends_it(model, photos, tmp_path):
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(SeemkitError, match="cannot be made"):
        encode_folder(model, photos, tmp_path / "out")

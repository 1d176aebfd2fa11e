"""Results as files, whole or not at all."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seemkit.errors import ImageError, SeemkitError
from seemkit.imaging.load import load_image
from seemkit.result import Result, Segments
from seemkit.results.atomic import replacing


@pytest.fixture
def result() -> Result:
    masks = np.zeros((2, 40, 60), bool)
    masks[0, 5:30, 10:50] = True
    return Result(
        masks,
        np.array([0.9, 0.1], np.float32),
        objects=("the dog", "2"),
        labels=((("dög", 0.5),), ()),
        image=np.full((40, 60, 3), 90, np.uint8),
        vocabulary=("dög",),
    )


@pytest.mark.parametrize(
    ("name", "form"), [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.webp", "WEBP")]
)
def test_pictures_hold_the_overlay(result: Result, tmp_path: Path, name: str, form: str) -> None:
    path = result.save(tmp_path / name)
    assert path == tmp_path / name
    assert Image.open(path).format == form
    far = np.abs(load_image(path).astype(int) - np.asarray(result.overlay()).astype(int)).mean()
    assert far == 0 if form == "PNG" else far < 8


def test_json_holds_the_dictionary(result: Result, tmp_path: Path) -> None:
    path = result.save(str(tmp_path / "a.json"))
    assert json.loads(path.read_text(encoding="utf-8")) == result.to_dict()


def test_npz_holds_the_arrays_without_pickles(result: Result, tmp_path: Path) -> None:
    with np.load(result.save(tmp_path / "a.npz"), allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["masks"], result.masks)
        assert arrays["objects"].tolist() == ["the dog", "2"]
        assert arrays["labels"].tolist() == ["dög", ""]
        assert set(arrays) == {"masks", "scores", "objects", "labels", "vocabulary"}
    ids = np.ones((40, 60), np.int32)
    full = Result(
        result.masks,
        result.scores,
        selection=np.ones(2),
        logits=np.ones((2, 3, 4)),
        semantic=ids,
        segments=Segments(ids, ()),
    )
    with np.load(full.save(tmp_path / "b.npz")) as arrays:
        assert {"selection", "logits", "semantic", "segments"} < set(arrays)


def test_an_unknown_suffix_is_refused_with_the_nearest(result: Result, tmp_path: Path) -> None:
    cases = {"a.jpgg": "a.jpg", "a.jsn": "a.json", "a.gif": "a.png", "a": "a.png", "a.npy": "a.npz"}
    for name, right in cases.items():
        with pytest.raises(SeemkitError) as caught:
            result.save(tmp_path / name)
        assert caught.value.suggestion == str(tmp_path / right)
        assert "expected .png, .jpg, .jpeg, .webp, .json or .npz" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written_are_refused(result: Result, tmp_path: Path) -> None:
    with pytest.raises(SeemkitError, match="there is no directory"):
        result.save(tmp_path / "nowhere" / "a.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SeemkitError, match="is a directory: give the name of a file in it"):
        result.save(tmp_path / "folder.png")


def test_without_an_image_no_picture_is_begun(result: Result, tmp_path: Path) -> None:
    bare = Result(result.masks, result.scores)
    with pytest.raises(ImageError):
        bare.save(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
    bare.save(tmp_path / "a.json")


def test_when_writing_fails_the_old_file_stays_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def write_half() -> None:
        with replacing(path) as file:
            file.write(b"new, but")
            raise KeyError("half way")

    with pytest.raises(KeyError):
        write_half()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(SeemkitError, match="cannot be written: No space left on device"),
        replacing(path) as file,
    ):
        file.write(b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes of POSIX")
def test_modes_follow_the_umask_links_are_followed_and_pipes_are_left_alone(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    with replacing(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SeemkitError, match="not a regular file"), replacing(tmp_path / "pipe"):
        pass

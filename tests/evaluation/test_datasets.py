"""Evaluation tars: levels of masks, order of frames, and a missing file."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seemkit.errors import SeemkitError
from seemkit.evaluation.datasets import read_masks, read_video


def write(path: Path, keys: list[str]) -> Path:
    levels = np.zeros((4, 6), np.uint8)
    levels[1, 2], levels[2, 3:5] = 255, 128
    with tarfile.open(path, "w") as tar:
        for n, key in enumerate(keys):
            for suffix, form, array in (
                ("webp", "WEBP", np.full((4, 6, 3), 10 * n, np.uint8)),
                ("png", "PNG", levels),
            ):
                stream = io.BytesIO()
                Image.fromarray(array).save(stream, form)
                info = tarfile.TarInfo(f"{key}.{suffix}")
                info.size = stream.tell()
                stream.seek(0)
                tar.addfile(info, stream)
    return path


def test_255_is_the_object_and_128_is_ignored(tmp_path: Path) -> None:
    (photo,) = read_masks(write(tmp_path / "a.tar", ["x"]))
    assert np.argwhere(photo.mask).tolist() == [[1, 2]]
    assert np.argwhere(photo.ignore).tolist() == [[2, 3], [2, 4]]
    assert (photo.key, photo.image.shape) == ("x", (4, 6, 3))


def test_frames_come_by_name_before_the_limit_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "v.tar", ["00002", "00000", "00001"])
    assert [frame.key for frame in read_video(path, 2)] == ["00000", "00001"]
    assert [photo.key for photo in read_masks(path, 1)] == ["00002"]


def test_a_missing_set_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SeemkitError, match="there is no evaluation set"):
        list(read_masks(tmp_path / "none.tar"))

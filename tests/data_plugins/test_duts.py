"""DUTS: pairs in tars, named by the synset in their key."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seemkit.api import SeemkitError, open_dataset


def png(pixels: np.ndarray, mode: str | None = None) -> bytes:  # type: ignore[type-arg]
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(buffer, "PNG")
    return buffer.getvalue()


def test_pairs_are_named_by_their_synset(tmp_path: Path) -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 5:15] = 255
    files = {
        "n02084071_7.jpg": png(np.zeros((20, 30, 3), np.uint8)), "n02084071_7.png": png(mask),
        "sun_1.jpg": png(np.zeros((20, 30, 3), np.uint8)), "sun_1.png": png(mask, "1"),
        "alone.png": png(mask),
    }  # fmt: skip
    with tarfile.open(tmp_path / "duts-tr-0.tar", "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    dataset = open_dataset({"use": "duts", "path": str(tmp_path)})
    dog, sun = dataset.loaded()
    assert (dog.objects[0].name, sun.objects[0].name) == ("dog", None)  # WordNet 3.0: n02084071 is dog
    assert np.asarray(dog.objects[0].mask).sum() == 100
    assert np.asarray(sun.objects[0].mask).sum() == 100, "of one bit"
    assert not dog.complete
    assert [fault.cause for fault in dataset.faults] == ["'alone' has no image"]


def test_a_folder_without_tars_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeemkitError, match=r"has no duts-tr-\*\.tar with images"):
        open_dataset({"use": "duts", "path": str(tmp_path)})

"""The images of a folder are told by content or suffix, in natural order, and nothing else is taken for one."""

import numpy as np
import pytest
from PIL import Image

from seemkit.errors import ImageError
from seemkit.imaging.image_files import find_images, natural_order


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub/deeper").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    photo = Image.fromarray(np.zeros((4, 4, 3), np.uint8))
    for name in ("f10.png", "f9.png", "sub/f1.jpg", "sub/deeper/x.webp", ".git/no.png", ".no.png"):
        photo.save(tmp_path / name)
    photo.save(tmp_path / "nameless", "PNG")
    (tmp_path / "cut.jpg").write_bytes(b"")
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic")
    for name, data in (
        ("a.txt", b"text"),
        ("a.pdf", b"%PDF-1.7"),
        ("a.zip", b"PK\x03\x04"),
        ("a.mp4", b"\0\0\0\x18ftypisom"),
    ):
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_images_are_found_by_content_or_suffix_in_natural_order(folder):
    found = find_images(folder)
    assert found.images == (
        "cut.jpg", "f9.png", "f10.png", "nameless", "photo.heic", "sub/deeper/x.webp", "sub/f1.jpg",
    )  # fmt: skip
    assert found.others == 4


def test_folders_below_may_be_left_out(folder):
    assert find_images(folder, below=False).images == (
        "cut.jpg",
        "f9.png",
        "f10.png",
        "nameless",
        "photo.heic",
    )
    found = find_images(folder, without=folder / "sub")
    assert [name for name in found.images if "/" in name] == []


def test_links_to_folders_are_not_followed(folder):
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    assert not any(name.startswith("loop") for name in find_images(folder).images)


def test_numbers_sort_as_numbers():
    assert sorted(["b", "10", "9", "a"], key=natural_order) == ["a", "b", "9", "10"]
    assert sorted(["f10", "f9", "f1"], key=natural_order) == ["f1", "f9", "f10"]
    assert sorted(["a10b2", "a10b1", "a9"], key=natural_order) == ["a9", "a10b1", "a10b2"]


def test_what_is_no_folder_is_one_sentence(folder):
    with pytest.raises(ImageError, match="gone' does not exist"):
        find_images(folder / "gone")
    with pytest.raises(ImageError, match=r"a\.txt' is a file, expected a folder of images"):
        find_images(folder / "a.txt")
    (folder / "none").mkdir()
    with pytest.raises(ImageError, match=r"none' holds no image, such as photo\.jpg"):
        find_images(folder / "none")

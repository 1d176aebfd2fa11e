"""Photos of a folder go by their suffixes, sorted."""

from pathlib import Path

import pytest

from seemkit.errors import ImageError
from seemkit.imaging.folder import photos_in


def test_photos_are_found_by_suffix_and_sorted(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.jpg", "c.webp"):
        (tmp_path / name).touch()
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "d.jpg").touch()
    assert [file.name for file in photos_in(tmp_path)] == ["a.png", "b.JPG", "c.webp"]


def test_a_folder_that_is_not_there_or_holds_no_photo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no photo in the folder"):
        photos_in(tmp_path)
    with pytest.raises(ImageError, match="there is no folder"):
        photos_in(tmp_path / "none")

"""The data set `tar-pairs`: members that share a key make a sample, of one tar or of several."""

import io
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seemkit import api

PHOTO = np.zeros((4, 6, 3), np.uint8)
MASK = np.array([[0, 0, 0, 128, 255, 255]] * 4, np.uint8)


def pack(path: Path, **files: np.ndarray | bytes) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            stem, _, suffix = name.rpartition("_")
            if isinstance(content, np.ndarray):
                buffer = io.BytesIO()
                Image.fromarray(content).save(buffer, {"jpg": "JPEG"}.get(suffix, suffix.upper()))
                content = buffer.getvalue()
            about = tarfile.TarInfo(f"{stem}.{suffix}")
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    return path


def opened(path, **options):
    return api.open_dataset({"use": "tar-pairs", "path": str(path), **options})


def test_members_with_one_key_make_a_sample_in_the_order_of_the_tar(tmp_path):
    found = opened(pack(tmp_path / "s.tar", b_webp=PHOTO, b_png=MASK, a_png=MASK, a_jpg=PHOTO, c_json=b"{}"))
    samples = list(found.loaded())
    assert [s.key for s in samples] == ["b", "a"]
    assert samples[0].objects[0].mask[0].tolist() == [False] * 4 + [True] * 2
    assert samples[0].ignore[0].tolist() == [False] * 3 + [True] + [False] * 2
    assert found.info.name == "s"


def test_several_tars_are_one_data_set_and_keys_say_which(tmp_path):
    for name in ("t-1", "t-0", "other"):
        pack(tmp_path / f"{name}.tar", a_jpg=PHOTO, a_png=MASK)
    assert opened(tmp_path).keys == ("other/a", "t-0/a", "t-1/a")
    assert opened(tmp_path / "t-*.tar").keys == ("t-0/a", "t-1/a")


def test_frames_of_a_video_are_in_the_order_of_their_names(tmp_path):
    path = pack(tmp_path / "dog.tar", f2_jpg=PHOTO, f2_png=MASK, f1_jpg=PHOTO, f1_png=MASK)
    assert [(s.key, s.sequence) for s in opened(path, video=True)] == [("f1", "dog"), ("f2", "dog")]


def test_what_lacks_its_other_half_or_is_damaged_is_kept_among_the_faults(tmp_path):
    path = pack(
        tmp_path / "s.tar", a_jpg=PHOTO, a_png=MASK, b_jpg=PHOTO, c_png=MASK, d_jpg=b"none", d_png=MASK
    )
    found = opened(path)
    assert [s.key for s in found.loaded()] == ["a"]
    causes = {fault.key: fault.cause for fault in found.faults}
    assert sorted(causes) == ["b", "c", "d"]
    assert causes["b"] == f"the image '{path}:b.jpg' has no mask"
    assert causes["d"].startswith("sample 'd': the image given as 4 bytes is not an image")


def test_a_tar_that_is_cut_off_is_a_fault_beside_what_is_read(tmp_path):
    path = pack(tmp_path / "s.tar", a_jpg=PHOTO, a_png=MASK, b_jpg=PHOTO, b_png=MASK)
    with tarfile.open(path) as tar:
        path.write_bytes(path.read_bytes()[: tar.getmember("b.jpg").offset])
    found = opened(path)
    assert [s.key for s in found.loaded()] == ["a"]
    (fault,) = found.faults
    assert fault.key == "s.tar"
    assert fault.cause == f"{str(path)!r} is cut off: what comes after 'a.png' is missing, get it again"


def test_it_pickles_without_reading(tmp_path):
    found = opened(pack(tmp_path / "s.tar", a_jpg=PHOTO, a_png=MASK))
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert again[0].read_image().shape == (4, 6, 3)


@pytest.mark.parametrize(
    ("name", "says"),
    [("gone.tar", "there is no tar file"), ("no-*.tar", "there is no tar at"), ("e.tar", "holds no image")],
)
def test_a_path_without_images_is_one_sentence(tmp_path, name, says):
    pack(tmp_path / "e.tar", a_txt=b"")
    with pytest.raises(api.SeemkitError, match=says):
        opened(tmp_path / name)


def test_the_shared_shards_are_read():
    folder = os.environ.get("SEEMKIT_DATA")
    if not folder or not Path(folder, "eval/grabcut.tar").is_file():
        pytest.skip("SEEMKIT_DATA does not name the folder of the shared data")
    found = opened(Path(folder) / "eval/grabcut.tar")
    assert len(found) == 50  # as the README of the data says, and so is what is ignored
    samples = list(found.shard(0, 10).loaded())
    assert len(samples) == 5
    assert any(sample.ignore is not None for sample in samples)
    assert found.faults == ()

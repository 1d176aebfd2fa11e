"""Samples read their image and masks when they are asked to; masks come in every form that data sets have."""

import io
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from seemkit import api

DISC = np.hypot(*(np.indices((20, 30)) - np.array([9, 12])[:, None, None])) < 7


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_an_image_is_read_from_a_path_bytes_an_array_or_a_slice_of_a_file(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    data = png(pixels)
    (tmp_path / "a.png").write_bytes(data)
    (tmp_path / "b.bin").write_bytes(b"head" + data + b"tail")
    inner = api.FileSlice(str(tmp_path / "b.bin"), 4, len(data), "a.png")
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), data, pixels, inner):
        assert (api.Sample("k", source).read_image() == pixels).all()


def test_an_image_that_cannot_be_read_names_the_sample(tmp_path):
    with pytest.raises(api.SeemkitError, match=r"sample 'k': no image .*gone.png"):
        api.Sample("k", tmp_path / "gone.png").read_image()
    (tmp_path / "cut.bin").write_bytes(b"ab")
    with pytest.raises(api.SeemkitError, match=r"sample 'k': .*cut.bin:x' has 2 of 9 bytes left"):
        api.Sample("k", api.FileSlice(str(tmp_path / "cut.bin"), 0, 9, "x")).read_image()


def test_run_lengths_are_those_of_coco_compressed_or_not():
    packed = coco.encode(np.asfortranarray(DISC, np.uint8))["counts"].decode()
    assert (api.RunLengthMask((20, 30), packed)() == DISC).all()
    flat = np.concatenate([[0], DISC.T.ravel(), [0]])
    edges = np.flatnonzero(np.diff(flat.astype(int)))
    counts = tuple(int(n) for n in np.diff([0, *edges, DISC.size]))
    assert (api.RunLengthMask((20, 30), counts)() == DISC).all()


def test_polygons_are_rasterised_as_coco_does_and_united():
    polygons = ((2.0, 2.0, 12.0, 2.0, 12.0, 9.0, 2.0, 9.0), (15.0, 10.0, 25.0, 10.0, 20.0, 18.0))
    whole = coco.decode(coco.merge(coco.frPyObjects([list(p) for p in polygons], 20, 30)))
    assert (api.PolygonMask((20, 30), polygons)() == whole.astype(bool)).all()
    with pytest.raises(api.SeemkitError, match="no polygon of at least three corners"):
        api.PolygonMask((20, 30), ((1.0, 2.0),))()


def test_objects_of_a_map_of_ids_share_it():
    ids = np.repeat(np.arange(3, dtype=np.int32), 4).reshape(3, 4)
    first, second = (api.SampleObject(api.IdMask(ids, n)) for n in (1, 2))
    assert first.mask.ids is second.mask.ids
    assert second.read_mask().tolist() == [[False] * 4, [False] * 4, [True] * 4]


@pytest.mark.parametrize("wrong", [np.zeros((2, 2)), np.zeros(4, bool), lambda: "mask"])
def test_what_is_no_mask_is_refused(wrong):
    with pytest.raises(api.SeemkitError, match=r"a mask is bool of shape \(H, W\)"):
        api.SampleObject(wrong).read_mask()


def test_what_is_ignored_is_of_the_size_of_the_picture():
    image = np.zeros((4, 5, 3), np.uint8)
    assert api.Sample("k", image).loaded().ignore is None
    assert api.Sample("k", image, ignore=np.ones((4, 5), bool)).loaded().ignore.all()
    with pytest.raises(api.SeemkitError, match="the mask of what is ignored is 4 x 4, the picture 5 x 4"):
        api.Sample("k", image, ignore=np.ones((4, 4), bool)).loaded()


def test_a_sample_with_every_form_of_mask_pickles():
    ids = np.zeros((2, 2), np.int32)
    sources = (np.ones((2, 2), bool), api.IdMask(ids, 0), api.RunLengthMask((2, 2), (0, 4)))
    sample = api.Sample("k", np.zeros((2, 2, 3), np.uint8), tuple(map(api.SampleObject, sources)))
    again = pickle.loads(pickle.dumps(sample))  # noqa: S301
    assert [each.read_mask().all() for each in again.objects] == [True] * 3


def test_members_of_a_tar_are_read_in_place(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in (("x/one.txt", b"1"), ("two.txt", b"22"), ("x/one.txt", b"333")):
            about = tarfile.TarInfo(name)
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    members = api.tar_members(path)
    assert {name: member.read() for name, member in members.items()} == {
        "two.txt": b"22",
        "x/one.txt": b"333",
    }
    assert str(members["two.txt"]) == f"{path}:two.txt"


def test_a_tar_that_is_cut_off_gives_what_is_before(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("one", "two"):
            about = tarfile.TarInfo(name)
            about.size = 5000
            tar.addfile(about, io.BytesIO(bytes(5000)))
    whole, said = path.read_bytes(), []
    api.tar_members(path, lambda *fault: said.append(fault))
    assert said == [], "it has the mark of its end"
    second = (
        512 + 5120
    )  # a header, and 5000 bytes in whole blocks; then there is nothing that tells but the mark
    for end in (second, second + 100, 7000):
        path.write_bytes(whole[:end])
        said.clear()
        last = "one" if end < 7000 else "two"
        assert list(api.tar_members(path, lambda *fault: said.append(fault)))[-1] == last
        (fault,) = said
        assert fault == (
            "a.tar",
            f"{str(path)!r} is cut off: what comes after {last!r} is missing, get it again",
        )
    members = api.tar_members(path)
    assert list(members) == ["one", "two"]
    assert len(members["one"].read()) == 5000
    with pytest.raises(api.SeemkitError, match="bytes left: the file is cut off"):
        members["two"].read()


@pytest.mark.parametrize("data", [b"", b"no tar at all" * 100, b"\x1f\x8b compressed"])
def test_what_is_no_tar_is_refused(tmp_path, data):
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(
        api.SeemkitError, match="is no tar that can be read in place: expected an uncompressed one"
    ):
        api.tar_members(tmp_path / "a.tar")
    with pytest.raises(api.SeemkitError, match="there is no tar file"):
        api.tar_members(tmp_path / "b.tar")


@pytest.mark.parametrize("counts", [(3, 4, 5), "zz!", "ü", "", "0"])
def test_run_lengths_that_do_not_fill_the_size_are_told_without_decoding(counts):
    broken = api.RunLengthMask((4, 5), counts)
    assert not broken.fills
    with pytest.raises(ValueError, match="that fill the size"):
        broken()


def test_run_lengths_that_fill_the_size_are_told_as_well():
    text = coco.encode(np.asfortranarray(DISC.astype(np.uint8)))["counts"].decode()
    assert api.RunLengthMask(DISC.shape, text).fills
    assert api.RunLengthMask((4, 5), (3, 4, 13)).fills

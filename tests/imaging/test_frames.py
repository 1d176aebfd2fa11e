"""Frames come from a folder or, with PyAV, from a video file; whatever is neither is one sentence."""

import sys

import numpy as np
import pytest
from PIL import Image

from seemkit.errors import ImageError, SeemkitError
from seemkit.imaging.frames import open_frames

GREYS = [0, 40, 80, 120, 160, 200, 240]


@pytest.fixture
def folder(tmp_path):
    for n, grey in enumerate(GREYS, start=5):
        Image.fromarray(np.full((48, 64, 3), grey, np.uint8)).save(tmp_path / f"f{n}.png")
    return tmp_path


def make_video(path, codec: str, **options) -> None:
    """A video of a grey level a frame, with its upper left quarter white."""
    av = pytest.importorskip("av", reason="the extra 'video' is not installed")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = options.get("pix_fmt", "yuv420p")
        for grey in GREYS:
            pixels = np.full((48, 64, 3), grey, np.uint8)
            pixels[:24, :32] = 255
            if options.get("noise"):
                pixels = np.random.default_rng(grey).integers(0, 256, pixels.shape, dtype=np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def levels(frames) -> list[int]:
    """The grey level of each frame, around its lower right corner."""
    return [int(frame.pixels[-16:, -16:].mean()) for frame in frames]


def test_a_folder_gives_its_images_in_natural_order(folder):
    frames = open_frames(folder)
    assert frames.count == 7
    assert [(frame.name, frame.file) for frame in frames][4:6] == [("f9", "f9.png"), ("f10", "f10.png")]
    assert levels(frames) == GREYS
    assert levels(frames) == GREYS  # again


@pytest.mark.parametrize(
    ("every", "limit", "taken"),
    [(2, None, [0, 80, 160, 240]), (3, 2, [0, 120]), (1, 3, [0, 40, 80]), (9, 9, [0])],
)
def test_frames_may_be_left_out(folder, every, limit, taken):
    frames = open_frames(folder, every=every, limit=limit)
    assert levels(frames) == taken
    assert frames.count == len(taken)
    assert [int(pixels[0, 0, 0]) for pixels in frames.pixels()] == taken


def test_images_of_one_name_and_two_suffixes_keep_the_suffix(tmp_path):
    for name in ("a.png", "a.jpg"):
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / name)
    assert [frame.name for frame in open_frames(tmp_path)] == ["a.jpg", "a.png"]


def test_a_damaged_image_ends_it_and_is_named(folder):
    (folder / "f6.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    frames = open_frames(folder).read()
    next(frames)
    with pytest.raises(ImageError, match=r"f6\.png' is a damaged or truncated PNG"):
        next(frames)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "mpeg4", {}),
        ("a.mkv", "ffv1", {}),
        ("a.avi", "mpeg4", {}),
        ("a.gif", "gif", {"pix_fmt": "rgb8"}),
    ],
)
def test_a_video_file_gives_its_frames_by_number(tmp_path, name, codec, options):
    make_video(tmp_path / name, codec, **options)
    frames = open_frames(tmp_path / name)
    found = list(frames)
    assert [frame.name for frame in found] == [f"{n:06d}" for n in range(7)]
    assert found[0].pixels.shape == (48, 64, 3)
    assert np.allclose(levels(found), GREYS, atol=20)  # GIF has 256 colours, MPEG-4 loses a little
    assert np.allclose(levels(open_frames(tmp_path / name, every=3)), GREYS[::3], atol=20)
    assert [frame.name for frame in open_frames(tmp_path / name, every=3, limit=2)] == ["000000", "000003"]
    assert frames.total in (7, None)


def test_a_video_is_turned_as_its_display_matrix_says(tmp_path):
    make_video(tmp_path / "a.mp4", "mpeg4")
    data = bytearray((tmp_path / "a.mp4").read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # ISO 14496-12, 8.3.2: version 0 has its matrix 40 bytes on
    matrix = (0, 0x10000, 0, 0x10000 - 2**17, 0, 0, 48 << 16, 0, 0x40000000)  # a quarter clockwise
    data[at : at + 36] = b"".join((value % 2**32).to_bytes(4, "big") for value in matrix)
    (tmp_path / "b.mp4").write_bytes(data)
    pixels = next(iter(open_frames(tmp_path / "b.mp4"))).pixels
    assert pixels.shape == (64, 48, 3)
    corners = [int(pixels[y, x].mean()) for y, x in ((8, 8), (8, -8), (-8, 8), (-8, -8))]
    assert [level > 128 for level in corners] == [False, True, False, False]  # upper left went to upper right


def test_a_video_that_is_cut_off_gives_what_is_before(tmp_path):
    make_video(tmp_path / "a.mkv", "ffv1", noise=True)
    whole = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) * 7 // 10])
    names = [frame.name for frame in open_frames(tmp_path / "cut.mkv")]
    assert 2 <= len(names) < 7
    assert names == [f"{n:06d}" for n in range(len(names))]


def test_a_video_without_its_index_is_one_sentence(tmp_path):
    make_video(tmp_path / "a.mp4", "mpeg4")
    whole = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    with pytest.raises(ImageError, match=r"cut\.mp4' is a damaged video: "):
        open_frames(tmp_path / "cut.mp4")


def test_without_the_extra_the_sentence_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(
        SeemkitError, match=r'pip install "seemkit\[video\]"; a folder of images needs nothing more'
    ):
        open_frames(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("list.m3u8", b"#EXTM3U\nhttp://example.org/a.ts\n", "is no video, expected MP4, MOV"),
        ("list.ffconcat", b"ffconcat version 1.0\nfile /etc/passwd\n", "is no video"),
        (
            "photo.png",
            b"\x89PNG\r\n\x1a\n",
            "is a PNG file, .*: give the folder of the frames, or use 'seemkit segment'",
        ),
        ("a.pdf", b"%PDF-1.7", "is a PDF file, expected MP4"),
        ("empty.mp4", b"", "is no video"),
    ],
)
def test_a_format_is_never_guessed(tmp_path, name, data, says):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageError, match=says):
        open_frames(tmp_path / name)


def test_what_is_not_there_or_empty_is_one_sentence(folder):
    (folder / "clip.mp4").write_bytes(b"")
    with pytest.raises(
        ImageError, match=r"there is no video or folder .*clp.mp4'; did you mean '.*clip.mp4'"
    ):
        open_frames(folder / "clp.mp4")
    (folder / "none").mkdir()
    with pytest.raises(ImageError, match="none' holds no image"):
        open_frames(folder / "none")
    with pytest.raises(SeemkitError, match="every=0, limit=None: expected numbers from 1 on"):
        open_frames(folder, every=0)

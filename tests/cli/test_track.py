"""`seemkit track`: prompts on the first frame become masks of every frame."""

import json

import numpy as np
import pytest
from PIL import Image

from seemkit import load
from seemkit.imaging.frames import open_frames
from seemkit.prompting.arrays import decode_rle
from seemkit.prompts import Point


@pytest.fixture
def clip(tmp_path, new_photo):
    folder = tmp_path / "clip"
    folder.mkdir()
    photo = new_photo(48, 64, 3) // 4 + 96
    photo[12:28, 12:28], photo[22:38, 42:58] = (220, 40, 40), (40, 40, 220)  # two things to follow
    for n in (1, 2, 10):
        Image.fromarray(photo).save(folder / f"f{n}.png")
    return folder


@pytest.fixture
def small() -> list[str]:
    """The bundled model on small photos."""
    return ["-s", "preprocess.long=64"]


def test_each_frame_has_a_file_of_numbers_and_a_line_of_json(run, clip, small, tmp_path):
    flags = ["--point", "20,20", "--point", "b:50,30", "-o", tmp_path / "out", "--json", tmp_path / "a.jsonl"]
    ended = run("track", clip, *flags, *small)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [f"{tmp_path / 'out'}: 3 frames", f"{tmp_path / 'a.jsonl'}: 3 frames"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["f1.png", "f10.png", "f2.png"]
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == ["f1", "f2", "f10"]
    for line in lines:
        numbers = np.asarray(Image.open(tmp_path / "out" / f"{line['frame']}.png"))
        masks = [decode_rle(each["segmentation"]) for each in line["masks"]]
        assert [each["object"] for each in line["masks"]] == ["1", "b"]
        assert ((numbers > 0) == (masks[0] | masks[1])).all()
        assert set(np.unique(numbers)) <= {0, 1, 2}


def test_the_masks_are_those_of_python(run, clip, small, tmp_path):
    assert run("track", clip, "--point", "20,20", "--json", tmp_path / "a.jsonl", *small).code == 0
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    model = load("nano", overrides={"preprocess.long": 64})
    results = model.track(open_frames(clip).pixels(), {"1": Point(x=20, y=20)})
    for line, result in zip(lines, results, strict=True):
        assert (decode_rle(line["masks"][0]["segmentation"]) == result.masks[0]).all()


def test_without_files_a_table_is_printed(run, clip, small):
    ended = run("track", clip, "--point", "20,20", "--every", "2", *small)
    assert ended.code == 0
    head, *rows = ended.out.splitlines()
    assert head.split() == ["frame", "object", "score", "area"]
    assert [row.split()[:2] for row in rows] == [["f1", "1"], ["f10", "1"]]


def test_other_formats_and_several_of_them_are_written(run, clip, small, tmp_path):
    flags = ["--format", "coco", "--format", "overlay,labels=false", "--limit", "2", "-o", tmp_path / "out"]
    assert run("track", clip, "--point", "cat:20,20", *flags, *small).code == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["f1.jpg", "f1.json", "f2.jpg", "f2.json"]
    assert json.loads((tmp_path / "out/f1.json").read_text())["images"][0]["file_name"] == "f1.png"


def test_a_video_file_is_followed_and_its_frames_are_numbered(run, clip, small, tmp_path):
    av = pytest.importorskip("av", reason="the extra 'video' is not installed")
    with av.open(str(tmp_path / "clip.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for frame in open_frames(clip):
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame.pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    ended = run(
        "track", tmp_path / "clip.mp4", "--point", "20,20", "--no-memory", "-o", tmp_path / "out", *small
    )
    assert (ended.code, ended.err) == (0, "")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["000000.png", "000001.png", "000002.png"]


def test_a_frame_that_cannot_be_read_ends_it_and_what_is_before_is_there(run, clip, small, tmp_path):
    (clip / "f2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    ended = run("track", clip, "--point", "20,20", "-o", tmp_path / "out", *small)
    assert ended.code == 2
    assert "f2.png' is a damaged or truncated PNG file" in ended.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["f1.png"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["clip"], "no prompt was given; give at least one, for the first frame"),
        (["clip", "--point", "20,99"], "--point 20,99"),
        (
            ["clip", "--point", "2,2", "--format", "coco"],
            "--format needs a folder for the files; give -o DIR",
        ),
        (["clip", "--point", "2,2", "-o", "clip"], "is the folder of the frames; give another"),
        (["clip", "--point", "2,2", "-o", "a.txt"], "is a file; give a folder"),
        (["clip", "--point", "2,2", "-o", "x", "--format", "cocoo"], "did you mean 'coco'?"),
        (
            ["clip", "--point", "2,2", "-o", "x", "--format", "coco:a"],
            "is not of the form FORMAT or FORMAT,OPTION",
        ),
        (
            ["clip", "--point", "2,2", "-o", "x", "--format", "coco", "--format", "labelme"],
            "the formats 'coco' and 'labelme' both write .json files",
        ),
        (["clp", "--point", "2,2"], "there is no video or folder 'clp'; did you mean 'clip'?"),
        (["a.txt", "--point", "2,2"], "is no video, expected MP4"),
        (["empty", "--point", "2,2"], "the folder 'empty' holds no image"),
    ],
)
def test_what_cannot_be_is_said_before_a_model_is_loaded(run, clip, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    ended = run("track", *words, "-m", "no-such-model")
    assert ended.code == 2
    assert says in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "x").exists()

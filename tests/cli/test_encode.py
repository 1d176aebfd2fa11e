"""`seemkit encode`: what is written, kept and reported, and with which exit code."""

import json

import numpy as np
import pytest
from PIL import Image

from seemkit import Scene


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(3):
        Image.fromarray(np.full((40, 50, 3), 60 * n, np.uint8)).save(folder / f"{n}.png")
    return folder


def test_scenes_lie_beside_the_folder_and_answer_as_the_photos_do(run, photos, tiny, tmp_path):
    ended = run("encode", photos, *tiny)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"{tmp_path / 'photos.scenes'}: 3 encoded, 0 kept (")
    scene = tmp_path / "photos.scenes/1.png.scene"
    assert Scene.load(scene).size == (40, 50)


def test_a_second_run_keeps_what_is_there(run, photos, tmp_path, monkeypatch):
    flags = ["-m", "nano", "-s", "preprocess.long=64", "-o", tmp_path / "out"]
    assert "3 encoded, 0 kept" in run("encode", photos, *flags).out
    Image.fromarray(np.full((40, 50, 3), 7, np.uint8)).save(photos / "3.png")
    assert "1 encoded, 3 kept" in run("encode", photos, *flags).out
    assert "4 encoded, 0 kept" in run("encode", photos, *flags, "-s", "preprocess.long=32").out


def test_what_cannot_be_read_is_a_table_and_the_exit_code_is_1(run, photos, tiny):
    (photos / "bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (photos / "notes.txt").write_text("")
    ended = run("encode", photos, *tiny)
    assert (ended.code, ended.err) == (1, "")
    head, row, empty, last = ended.out.splitlines()
    assert head.split() == ["could", "not", "be", "read", "why"]
    assert row.startswith("bad.jpg")
    assert "damaged or truncated JPEG" in row
    assert empty == ""
    assert ": 3 encoded, 0 kept, 1 could not be read (" in last


def test_the_report_is_json_on_standard_output_or_in_a_file(run, photos, tiny, tmp_path):
    (photos / "bad.jpg").write_bytes(b"")
    ended = run("encode", photos, "--json", "-", "--batch", "2", *tiny)
    assert ended.code == 1
    report = ended.json()
    assert report["encoded"] == ["0.png", "1.png", "2.png"]
    assert [each["file"] for each in report["unread"]] == ["bad.jpg"]
    assert set(report) == {"folder", "out", "encoded", "kept", "unread", "others", "seconds"}
    assert run("encode", photos, "--json", tmp_path / "report.json", *tiny).code == 1
    assert len(json.loads((tmp_path / "report.json").read_text())["unread"]) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["gone"], "the folder 'gone' does not exist"),
        (["photos/0.png"], "is a file, expected a folder of images"),
        (["empty"], "the folder 'empty' holds no image"),
        (["photos", "-o", "photos"], "is the folder of the photos; give another for the scenes"),
        (["photos", "-o", "photos/0.png"], "is a file; give a folder for the scenes"),
        (["photos", "--json", "empty"], "is a directory"),
        (["photos", "--bach", "2"], "did you mean --batch?"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(run, photos, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    ended = run("encode", *words, "-m", "no-such-model")
    assert ended.code == 2
    assert says in ended.err
    assert ended.err.count("\n") == 1

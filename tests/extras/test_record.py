"""The hook `record`: there only if an assembly asks for it, and what it writes."""

import json
import threading
from datetime import datetime

import pytest

import seemkit
from seemkit.host import expect_components
from seemkit.prompts import Box, Point, Text
from seemkit_registry import Registry


@pytest.fixture
def recording(assembly, tmp_path, monkeypatch):
    """A tiny model whose assembly has the hooks given, run in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    own = Registry()  # a fault of the hook stays in the test
    expect_components(own)

    def load(*hooks):
        return seemkit.load(
            {**assembly("nano"), "hooks": list(hooks)}, weights=None, device="cpu", registry=own
        )

    return load


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_image_and_request_is_a_line_of_times_sizes_and_types(recording, photo, tmp_path):
    model = recording("record")
    scene = model.encode(photo)
    prompts = [Point(x=20, y=20), Point(x=9, y=9, include=False), Text(text="secret", object="2")]
    model.segment(scene, prompts)
    model.everything(scene, vocabulary=["cat", "dog"])
    encode, segment, everything = lines(tmp_path / "seemkit-record.jsonl")
    assert encode["event"] == "encode"
    assert encode["size"] == [72, 96]
    assert encode["scene"] == scene.fingerprint[:12]
    assert 0 < encode["seconds"] < 60
    assert segment["event"] == "segment"
    assert segment["prompts"] == {"point": 2, "text": 1}
    assert segment["masks"] == 2
    assert 0 < segment["seconds"] < 60
    assert everything["event"] == "panoptic"
    assert everything["prompts"] == {}
    assert everything["seconds"] is None  # nothing is composed, so its beginning is not seen
    assert all(datetime.fromisoformat(each["time"]).utcoffset() is not None for each in (encode, segment))
    text = (tmp_path / "seemkit-record.jsonl").read_text()
    assert "secret" not in text
    assert max(map(len, text.splitlines())) < 300  # no pixels


def test_lines_are_added_to_a_file_that_can_be_chosen(recording, photo, tmp_path):
    (tmp_path / "logs").mkdir()
    for _ in range(2):
        recording({"use": "record", "path": "logs/a.jsonl"}).segment(photo, Box(x1=10, y1=10, x2=50, y2=50))
    found = lines(tmp_path / "logs/a.jsonl")
    assert [each["event"] for each in found] == ["encode", "segment"] * 2


def test_it_is_not_there_unless_an_assembly_asks(recording, photo, tmp_path):
    model = recording()
    assert model.hooks is None
    model.encode(photo)
    assert list(tmp_path.iterdir()) == []


def test_threads_have_times_of_their_own_and_whole_lines(recording, photo, tmp_path):
    model = recording("record")
    scene = model.encode(photo)

    def ask(count):
        for _ in range(5):
            model.segment(scene, [Point(x=10 + k, y=20) for k in range(count)])

    threads = [threading.Thread(target=ask, args=(count,)) for count in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = lines(tmp_path / "seemkit-record.jsonl")[1:]
    assert sorted(each["prompts"]["point"] for each in found) == [1] * 5 + [2] * 5 + [3] * 5
    assert all(each["seconds"] > 0 for each in found)


def test_a_file_that_cannot_be_written_leaves_it_out_and_the_answer_comes(recording, photo, tmp_path, caplog):
    (tmp_path / "seemkit-record.jsonl").mkdir()
    model = recording("record")
    assert len(model.segment(photo, Point(x=20, y=20))) == 1
    (line,) = [record.getMessage() for record in caplog.records]
    assert "'record'" in line
    assert "its hook 'after_encode' raised IsADirectoryError" in line


@pytest.mark.parametrize(
    "path", ["/etc/x.jsonl", "../x.jsonl", "~/x.jsonl", "x.txt", "a\\b.jsonl", "c:x.jsonl", ".jsonl"]
)
def test_an_assembly_cannot_make_it_write_elsewhere(recording, path):
    with pytest.raises(ValueError, match=r"hooks\[0\].path: .*expected a"):
        recording({"use": "record", "path": path})

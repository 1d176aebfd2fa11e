"""`seemkit segment` from flags to files: what comes out fits what `Result` says of itself."""

import json

import numpy as np
import pytest
from PIL import Image

from seemkit import load
from seemkit.prompting.arrays import decode_rle
from seemkit.weights import save_weights

FLAGS = ["--point", "30,20", "--not-point", "2,2", "--box", "spot:8,6,40,30", "--text", "a ball"]


def test_without_files_a_short_table_is_printed(run, photo, tiny):
    ended = run("segment", photo, *FLAGS, "--vocabulary", "dog,cat", *tiny)
    assert (ended.code, ended.err) == (0, "")
    head, *rows = ended.out.splitlines()
    assert head.split()[:4] == ["object", "asked", "by", "label"]
    assert [row.split()[0] for row in rows] == ["1", "spot", "2"]
    assert "--point, --not-point" in rows[0]
    assert '--text "a ball"' in rows[2]


def test_json_has_one_entry_a_mask_with_run_lengths_of_the_photos_size(run, photo, tiny, tmp_path):
    files = ["--json", tmp_path / "out.json", "-o", tmp_path / "out.npz"]
    ended = run("segment", photo, *FLAGS, "--vocabulary", "dog,cat", *files, *tiny)
    assert ended.code == 0
    assert ended.out.splitlines() == [f"{tmp_path / 'out.npz'}: 3 masks", f"{tmp_path / 'out.json'}: 3 masks"]
    data = json.loads((tmp_path / "out.json").read_text())
    assert set(data) == {"version", "task", "size", "vocabulary", "masks"}
    assert (data["version"], data["task"], data["size"]) == (1, "segment", [48, 64])
    assert data["vocabulary"] == ["dog", "cat"]
    arrays = np.load(tmp_path / "out.npz")
    for n, entry in enumerate(data["masks"]):
        assert set(entry) == {
            "object",
            "score",
            "selection",
            "shares",
            "labels",
            "bbox",
            "area",
            "segmentation",
        }
        assert 0 <= entry["score"] <= 1
        assert {label["label"] for label in entry["labels"]} == {"dog", "cat"}
        assert sum(label["probability"] for label in entry["labels"]) == pytest.approx(1, abs=1e-5)
        decoded = decode_rle(entry["segmentation"])
        assert np.array_equal(decoded, arrays["masks"][n])
        assert entry["area"] == decoded.sum()


def test_json_to_standard_output_is_alone_there(run, photo, tiny, tmp_path, gaze):
    noisy = gaze.read_text().replace(
        "        rows, columns", "        print('while it runs')\n        rows, columns"
    )
    gaze.write_text(f"{noisy}\nprint('while it loads')\n")
    out, flags = tmp_path / "out.png", ["--gaze", "30,20,5", "--plugin", gaze]
    ended = run("segment", photo, *flags, *FLAGS, "--json", "-", "-o", out, *tiny)
    assert ended.code == 0
    assert [entry["object"] for entry in ended.json()["masks"]] == ["1", "spot", "2"]
    assert ended.err.splitlines() == ["while it loads", "while it runs", f"{out}: 3 masks"]


def test_the_overlay_has_the_size_of_the_photo(run, photo, tiny, tmp_path):
    assert run("segment", photo, "--point", "30,20", "-o", tmp_path / "out.png", *tiny).code == 0
    with Image.open(tmp_path / "out.png") as image:
        assert image.size == (64, 48)


@pytest.mark.parametrize(("select", "count"), [("best", 1), ("3", 3), ("all", 8)])  # tiny.yaml has 8 queries
def test_select_says_how_many_masks_an_object_gets(run, photo, tiny, select, count):
    ended = run("segment", photo, "--point", "30,20", "--select", select, "--json", "-", *tiny)
    assert len(ended.json()["masks"]) == count


@pytest.fixture
def weighed(tiny, tmp_path):
    """A model with random weights, and the flags that choose the same weights."""
    model = load(tiny[1], weights=None)
    return model, ["-m", tiny[1], "--weights", save_weights(model.network, tmp_path / "w.safetensors", {})]


def test_the_flags_give_what_python_gives(run, photo, weighed, tmp_path):
    from seemkit.prompts import Box, Point, Text

    model, chosen = weighed
    assert run("segment", photo, *FLAGS, "-o", tmp_path / "out.npz", *chosen).code == 0
    prompts = [
        Point(x=30, y=20),
        Point(x=2, y=2, include=False),
        Box(x1=8, y1=6, x2=40, y2=30, object="spot"),
        Text(text="a ball", object="2"),
    ]
    expected = model.segment(photo, prompts)
    found = np.load(tmp_path / "out.npz")
    assert found["objects"].tolist() == list(expected.objects)
    assert np.array_equal(found["masks"], expected.masks)
    assert np.array_equal(found["scores"], expected.scores)


def test_a_saved_scene_takes_the_place_of_the_photo(run, photo, weighed, tmp_path):
    model, chosen = weighed
    model.encode(photo).save(tmp_path / "photo.scene")
    results = []
    for source in (photo, tmp_path / "photo.scene"):
        ended = run("segment", source, "--point", "30,20", "--json", "-", *chosen)
        assert ended.code == 0, ended.err
        results.append(ended.json()["masks"][0])
    assert results[0]["score"] == pytest.approx(results[1]["score"], abs=1e-5)
    assert results[0]["area"] == pytest.approx(results[1]["area"], abs=2)
    ended = run("segment", tmp_path / "photo.scene", "--point", "30,20", "-o", tmp_path / "out.png", *chosen)
    assert ended.code == 2
    assert "'out.npz' or 'out.json'" in ended.err
    assert not (tmp_path / "out.png").exists()


def test_overrides_and_threads_reach_the_assembly(run, photo, tiny, tmp_path):
    few = ["-s", "mask_decoder.queries=5", "-s", "preprocess.short=32", "--threads", "1"]
    ended = run("segment", photo, "--point", "30,20", "--select", "all", "--json", "-", *few, *tiny)
    assert len(ended.json()["masks"]) == 5

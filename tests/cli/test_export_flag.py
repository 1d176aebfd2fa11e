"""`--export FORMAT:FILE`: formats of plugins, checked before any work, written after it."""

import json

import numpy as np
import pytest
from PIL import Image

EXPORTER = '''
"""An exporter in one file."""
from pydantic import BaseModel


class Count:
    """Writes how many masks there are."""

    component = ("exporters", "count")
    suffixes = (".count",)

    class Options(BaseModel):
        unit: str = "masks"

    def __init__(self, options):
        self.options = options

    @classmethod
    def build(cls, options):
        return cls(options)

    def export(self, result, path, *, photo):
        path.write_text(f"{photo}: {len(result)} {self.options.unit}")
        return [path]
'''


def test_files_of_several_formats_are_written_and_named(run, photo, tiny, tmp_path):
    flags = [
        "--export",
        f"coco:{tmp_path / 'a.json'}",
        "--export",
        f"yolo,simplify=0,classes=true:{tmp_path / 'a.txt'}",
    ]
    ended = run(
        "segment", photo, "--point", "30,20", *flags, "--export", f"indexed:{tmp_path / 'a.png'}", *tiny
    )
    assert (ended.code, ended.err) == (0, "")
    assert [line.partition(":")[0].rpartition("/")[2] for line in ended.out.splitlines()] == [
        "a.json", "a.txt", "classes.txt", "a.png",
    ]  # fmt: skip
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["images"][0]["file_name"] == "photo.png"
    assert np.asarray(Image.open(tmp_path / "a.png")).shape == (48, 64)


def test_everything_is_exported_too_and_json_stays_alone_on_standard_output(run, photo, tiny, tmp_path):
    flags = ["--vocabulary", "cat,dog", "--export", f"labelme:{tmp_path / 'a.json'}", "--json", "-"]
    ended = run("everything", photo, *flags, *tiny)
    assert ended.code == 0
    assert json.loads(ended.out)["task"] == "panoptic"
    assert str(tmp_path / "a.json") in ended.err


def test_an_exporter_in_one_file_is_known(run, photo, tiny, tmp_path):
    (tmp_path / "count.py").write_text(EXPORTER)
    flags = ["--plugin", tmp_path / "count.py", "--export", f"count,unit=cats:{tmp_path / 'a.count'}"]
    assert run("segment", photo, "--point", "30,20", *flags, *tiny).code == 0
    assert (tmp_path / "a.count").read_text() == "photo.png: 1 cats"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("coco", "--export 'coco' is not of the form FORMAT:FILE, such as coco:masks.json"),
        ("coco,simplify:a.json", "is not of the form FORMAT:FILE"),
        ("cooc:a.json", "no exporters component is named 'cooc'; did you mean 'coco'?"),
        ("coco,simplfy=1:a.json", "'coco' has no option 'simplfy'; did you mean 'simplify'?"),
        ("coco,simplify=x:a.json", "simplify: got 'x', expected a valid number"),
        ("coco,use=yolo:a.json", "the format is what stands first, not an option"),
        ("coco:a.jsn", "which ends in .json; did you mean 'a.json'?"),
        ("coco:nowhere/a.json", "there is no directory 'nowhere'"),
    ],
)
def test_what_cannot_be_written_is_said_before_any_work(run, photo, tmp_path, monkeypatch, value, says):
    monkeypatch.chdir(tmp_path)
    ended = run("segment", photo, "--point", "30,20", "--export", value, "-m", "no-such-model")
    assert ended.code == 2
    assert says in ended.err
    assert ended.err.count("\n") == 1


def test_no_file_is_named_twice_and_the_photo_is_not_replaced(run, photo, tmp_path):
    twice = ["--json", tmp_path / "a.json", "--export", f"coco:{tmp_path / 'a.json'}"]
    assert "a second time; give another file" in run("segment", photo, "--point", "3,2", *twice).err
    over = ["--export", f"indexed:{photo}"]
    assert "is the photo itself" in run("segment", photo, "--point", "3,2", *over).err


@pytest.mark.parametrize("name", ["coco", "labelme", "yolo", "indexed", "overlay"])
def test_info_says_how_an_exporter_is_asked_for(run, name):
    (about,) = [each for each in run("info", name, "--json").json() if each["kind"] == "exporters"]
    assert about["use"].startswith(f"--export {name}:FILE.")
    assert about["options"]
    assert all(option["about"] for option in about["options"])


def test_listings_name_the_exporters(run):
    names = {c["name"] for c in run("plugins", "exporters", "--json").json()["components"]}
    assert names == {"coco", "labelme", "yolo", "indexed", "overlay"}


def test_a_schema_of_a_name_of_several_kinds_asks_for_the_kind(run):
    ended = run("schema", "coco")
    assert ended.code == 2
    assert "several kinds: add --kind datasets or --kind exporters" in ended.err
    found = run("schema", "coco", "--kind", "exporters").json()
    assert set(found["properties"]) == {"polygons", "simplify", "image_id"}
    assert "path" in run("schema", "coco", "--kind", "datasets").json()["properties"]
    assert "did you mean 'exporters'?" in run("schema", "coco", "--kind", "exporter").err

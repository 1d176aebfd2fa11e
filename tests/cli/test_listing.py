"""`seemkit plugins` and `seemkit info`: what there is, without importing it."""

import json
import sys
from importlib import import_module

import pytest

from seemkit.host import registry
from seemkit_backbones.focal import Focal

LASSO = '''
from typing import Literal
from seemkit import api

class Lasso(api.SpatialPrompt):
    """A loop around the object."""

    type: Literal["lasso"] = "lasso"

    def region(self, size):
        raise NotImplementedError

    @classmethod
    def example(cls):
        return cls()
'''


def test_the_listing_shows_every_component_and_imports_none(run, install):
    install("lasso-kit", {"lasso": "lasso_kit:Lasso"}, {"lasso_kit": LASSO})
    ended = run("plugins")
    assert (ended.code, ended.err) == (0, "")
    head, *rows = ended.out.splitlines()
    assert head.split() == ["kind", "name", "distribution", "version", "state", "summary"]
    cells = [row.split(maxsplit=5) for row in rows]
    assert ["prompts", "lasso", "lasso-kit", "1.0", "declared", "A loop around the object."] in cells
    assert {row[0] for row in cells} >= {"backbones", "prompts", "text_encoders", "answer_policies"}
    assert "lasso_kit" not in sys.modules


def test_the_listing_as_json(run, install):
    install("lasso-kit", {"lasso": "lasso_kit:Lasso"}, {"lasso_kit": LASSO}, requires=["seemkit>=99"])
    data = run("plugins", "prompts", "--json").json()
    found = {entry["qualified"]: entry for entry in data["components"]}
    assert {entry["kind"] for entry in data["components"]} == {"prompts"}
    assert found["seemkit/points"]["state"] == "declared"
    assert found["seemkit/points"]["fault"] is None
    assert found["lasso-kit/lasso"]["state"] == "quarantined"
    (fault,) = data["faults"]
    assert (fault["plugin"], fault["kind"], fault["name"]) == ("lasso-kit", "prompts", "lasso")
    assert fault["line"] == found["lasso-kit/lasso"]["fault"]
    assert "trace" not in fault


def test_a_fault_is_one_line_and_a_traceback_on_request(run, install):
    install("lasso-kit", {"lasso": "lasso_kit:Lasso"}, {"lasso_kit": "1 / 0"})
    assert "quarantined" not in run("plugins", "prompts").out  # it was not imported, so nobody knows
    ended = run("plugins", "prompts", "--details")
    assert (ended.code, ended.err) == (0, "")
    assert (
        "plugin 'lasso-kit' (prompts 'lasso') is quarantined: its import raised ZeroDivisionError"
        in ended.out
    )
    assert "Traceback" in ended.out
    again = run("plugins", "prompts")
    assert "ZeroDivisionError" in again.out
    assert "Traceback" not in again.out


def test_an_unknown_kind_is_answered_with_the_nearest(run):
    ended = run("plugins", "prompt")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "seemkit: there is no kind of component 'prompt'; did you mean 'prompts'?\n"


def test_one_file_plugins_are_listed_too(run, gaze):
    data = run("plugins", "prompts", "--json", "--plugin", gaze).json()
    (entry,) = [entry for entry in data["components"] if entry["distribution"] == "local"]
    assert (entry["name"], entry["state"], entry["file"]) == ("gaze", "loaded", str(gaze))
    said = run("info", "gaze", "--plugin", gaze).out
    assert "--gaze, --not-gaze" in said
    assert f"{gaze}:8" in said


@pytest.mark.parametrize("name", ["points", "point", "seemkit/points", "points@1"])
def test_a_prompt_by_any_of_its_names(run, name):
    ended = run("info", name)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("prompts seemkit/points\n\nA click at (x, y)")
    assert "--point, --not-point" in ended.out
    assert "seemkit segment photo.jpg --point 20,15" in ended.out
    assert "points.py:" in ended.out
    assert "shares object 1" in ended.out


def test_a_prompt_as_json(run):
    (about,) = run("info", "text", "--json").json()
    assert (about["type"], about["level"], about["canvas"]) == ("text", "token", "text")
    assert about["flags"] == ["--text", "--not-text"]
    assert about["unnamed"] == "opens an object of its own"
    assert about["example"]["text"] == "the dog on the left"
    assert [option["name"] for option in about["options"]] == ["object", "include", "text"]


def test_types_of_fields_are_shown_as_a_person_writes_them(run):
    kinds = {}
    for name in ("polygon", "mask", "reference", "scribble"):
        (about,) = run("info", name, "--json").json()
        kinds |= {f"{name}.{option['name']}": option["kind"] for option in about["options"]}
    assert kinds["polygon.points"] == "Sequence[tuple[float, float]]"
    assert kinds["scribble.width"] == "float"
    assert kinds["mask.mask"] == "ndarray"
    assert kinds["reference.prompts"] == "Sequence[Prompt]"


def test_options_of_a_backbone_are_read_from_its_source(run):
    (about,) = run("info", "focal", "--json").json()
    options = {option["name"]: option for option in about["options"]}
    assert list(options) == list(Focal.Options.model_fields)
    for name, field in Focal.Options.model_fields.items():
        assert options[name]["about"] == field.description
    assert json.loads(options["width"]["default"]) == Focal.Options().width
    assert options["layer_scale"]["default"] == str(Focal.Options().layer_scale)
    assert about["use"] == "-s backbone=focal"


def test_a_required_option_is_marked(run):
    (about,) = run("info", "timm", "--json").json()
    defaults = {option["name"]: option["default"] for option in about["options"]}
    assert defaults["model"] is None
    assert defaults["pretrained"] == "False"
    assert "required" in run("info", "timm").out


def test_options_that_the_source_cannot_tell_are_imported(run, install):
    source = (
        "from pydantic import BaseModel\n"
        "class Shared(BaseModel):\n    size: int = 3\n\n"
        "class Options(Shared):\n    extra: str = 'a'\n\n"
        "class Net:\n    Options = Options\n\n    @staticmethod\n    def build(options): ...\n"
    )
    install("net-kit", {}, {"net_kit": source})
    registry().register("backbones", "net", import_module("net_kit").Net)
    (about,) = run("info", "net", "--json").json()
    assert [(o["name"], o["kind"], o["default"]) for o in about["options"]] == [
        ("size", "int", "3"),
        ("extra", "str", "'a'"),
    ]


def test_an_assembly_by_name_and_by_file(run, tiny):
    (about,) = run("info", "nano", "--json").json()
    assert about["slots"]["backbone"] == {"use": "timm", "model": "mobile_sam_lite0"}
    assert about["weights"]["file"] == "nano.safetensors"
    (about,) = run("info", tiny[1], "--json").json()
    assert (about["assembly"], about["weights"]) == ("tiny", None)
    said = run("info", tiny[1]).out
    assert "focal width=16 depths=[1, 1, 1, 1] levels=2" in said
    assert "--weights none for random ones" in said


def test_a_component_at_fault_says_so(run, install):
    install("lasso-kit", {"lasso": "lasso_kit:Lasso"}, {"lasso_kit": "1 / 0"})
    ended = run("info", "lasso")
    assert (ended.code, ended.err) == (0, "")
    assert "is quarantined: its import raised ZeroDivisionError" in ended.out


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("pionts", "no component, prompt type or assembly is named 'pionts'; did you mean 'points'?"),
        ("seemkit/points@2", "did you mean 'points'?"),
        ("nan", "did you mean 'nano'?"),
        ("prompts", "'prompts' is a kind of component: seemkit plugins prompts"),
        ("zzzzzzzz", "'seemkit plugins' lists what there is"),
        ("gone.yaml", "there is no such file"),
    ],
)
def test_an_unknown_name_is_one_sentence(run, name, says):
    ended = run("info", name)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert ended.err.count("\n") == 1


def test_a_component_is_shown_with_shapes_and_as_an_assembly_writes_it(run):
    said = run("info", "timm").out
    assert "such as  backbone: {use: timm, model: mobile_sam_lite0}" in said
    assert "shapes   (B, 3, H, W) normalised to four maps" in said
    assert "text_encoder: {use: seemkit/open_clip, model: '...'}" in run("info", "open_clip").out
    assert "shapes   its pixels: a region (height, width) bool on the input grid" in run("info", "point").out
    assert "groups of rows (T, C)" in run("info", "text").out


def test_conformance_is_a_line(run):
    assert "\nconformance: 24 checks, 23 passed" in run("info", "static", "--check").out
    (point,) = run("info", "point", "--check", "--json").json()
    assert point["conformance"].split(", ")[1].endswith(" passed")
    assert "failed" not in point["conformance"]
    assert "not run: give its options (model)" in run("info", "timm", "--check").out
    assert "there is no suite for pixel_decoders" in run("info", "fpn", "--check").out


def test_info_says_how_hooks_and_data_sets_are_asked_for(run):
    (record,) = run("info", "record", "--json").json()
    assert record["use"] == "-s hooks=[record]"
    assert [option["name"] for option in record["options"]] == ["path"]
    (folder,) = run("info", "folder", "--json").json()
    assert folder["use"] == "{use: folder, ...}"
    assert "conformance: not run: give its options (path)" in run("info", "folder", "--check").out
    said = run("info", "yolo", "--check").out.partition("\nconformance: ")[2]
    assert " passed" in said
    assert "failed" not in said


def test_a_plan_and_an_assembly_name_the_hooks_that_are_asked_for(run, tmp_path):
    (tmp_path / "mine.yaml").write_text("seemkit: 1\nextends: nano\nhooks: [{use: record, path: a.jsonl}]\n")
    parts = run("plan", tmp_path / "mine.yaml", "--json").json()["parts"]
    assert (parts[-1]["slot"], parts[-1]["use"], parts[-1]["options"]) == (
        "hook",
        "record",
        {"path": "a.jsonl"},
    )
    about = run("info", tmp_path / "mine.yaml").out
    assert any(line.split()[:3] == ["hook", "record", 'path="a.jsonl"'] for line in about.splitlines())

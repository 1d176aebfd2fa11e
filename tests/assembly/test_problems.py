"""All that is wrong with a configuration is said at once, with path, line and the nearest right name."""

import pytest

from seemkit.assembly import load_assembly
from seemkit_registry.errors import ConfigurationError

WRONG = """\
seemkit: 1
name: wrong one
backbne: timm
backbone:
  use: timm
  modle: resnet50
  width: 0
  schedule: {warm: hot}
pixel_decoder: fpm
mask_decoder: {use: seem, preset: seem_v2, dim: [1]}
text_encoder: 7
prompts: [points, boxs, os.system]
preprocess: {shrot: 320, std: [1, 1, 0], fixed: [3]}
weights: {file: nano.pt}
prefer: {prompts: {points: other, pionts: seemkit}, promts: {}}
runtime: {device: tpu, threads: 0}
vocabulary: [yes, 3, ""]
"""


def problems(source, registry) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        load_assembly(source, registry=registry)
    assert str(caught.value).count("\n") == (
        len(caught.value.problems) if len(caught.value.problems) > 1 else 0
    )
    return {problem.path: str(problem) for problem in caught.value.problems}


def test_all_problems_are_reported_at_once_with_path_line_and_suggestion(registry, write):
    found = problems(write("wrong.yaml", WRONG), registry)
    expected = {
        "name": "name (line 2): got 'wrong one'",
        "backbne": "backbne (line 3): there is no field 'backbne'; did you mean 'backbone'?",
        "backbone.modle": "backbone.modle (line 6): 'timm' has no option 'modle'; did you mean 'model'?",
        "backbone.width": "backbone.width (line 7): got 0, expected greater than or equal to 1",
        "backbone.schedule.warm": "backbone.schedule.warm (line 8): got 'hot', expected a valid number",
        "pixel_decoder": "pixel_decoder (line 9): no pixel_decoders component is named 'fpm'; did",
        "mask_decoder.preset": "mask_decoder.preset (line 10): got 'seem_v2', expected 'nano' or 'seem_v1'",
        "mask_decoder.dim": "mask_decoder.dim (line 10): got [1], expected a valid integer",
        "text_encoder": "text_encoder (line 11): got 7, expected the name of one of the text_encoders",
        "preprocess.shrot": "preprocess.shrot (line 13): there is no field 'shrot'; did you mean 'short'?",
        "preprocess.std": "preprocess.std (line 13): got [1, 1, 0]: expected three numbers above 0",
        "preprocess.fixed[1]": "preprocess.fixed[1]: it is missing",
        "weights.file": "weights.file (line 14): got 'nano.pt': expected a file that ends in .safetensors",
        "runtime.device": "runtime.device (line 16): got 'tpu'",
        "runtime.threads": "runtime.threads (line 16): got 0, expected",
        "prefer.prompts.points": "prefer.prompts.points (line 15): the distribution 'other' does not provide",
        "prefer.prompts.pionts": "prefer.prompts.pionts (line 15): no prompts component is named 'pionts'",
        "prefer.promts": "prefer.promts (line 15): there is no kind of component 'promts'",
        "vocabulary[1]": "vocabulary[1] (line 17): got 3, expected a valid string",
        "vocabulary[2]": "vocabulary[2] (line 17): got ''",
        "prompts[1]": "prompts[1] (line 12): no prompts component is named 'boxs'; did you mean 'boxes'?",
        "prompts[2]": "prompts[2] (line 12): 'os.system' is not a component's name",
    }
    assert set(found) == set(expected)
    for path, start in expected.items():
        assert found[path].startswith(start)


def test_problems_come_in_the_order_of_the_file(registry, write):
    with pytest.raises(ConfigurationError) as caught:
        load_assembly(write("wrong.yaml", WRONG), registry=registry)
    lines = [problem.line for problem in caught.value.problems if problem.line is not None]
    assert lines == sorted(lines)
    assert caught.value.source.endswith("wrong.yaml")


def test_preferences_are_held_against_what_is_installed(nano, registry):
    nano["prefer"] = {"prompts": {"points": "seemkti", "pionts": "seemkit"}, "promts": {}}
    found = problems(nano, registry)
    assert found == {
        "prefer.prompts.points": (
            "prefer.prompts.points: the distribution 'seemkti' does not provide it; seemkit does; "
            "did you mean 'seemkit'?"
        ),
        "prefer.prompts.pionts": (
            "prefer.prompts.pionts: no prompts component is named 'pionts'; did you mean 'points'?"
        ),
        "prefer.promts": "prefer.promts: there is no kind of component 'promts'; did you mean 'prompts'?",
    }


def test_a_preference_of_the_configuration_resolves_a_conflict(nano, registry):
    registry.register("backbones", "timm", type("Other", (), {}), distribution="other")
    del nano["backbone"]["model"]
    nano["prefer"] = {}
    assert "'other/timm' or 'seemkit/timm'" in problems(nano, registry)["backbone.use"]
    nano["prefer"] = {"backbones": {"timm": "other"}}
    assert load_assembly(nano, registry=registry).backbone.component == "other/timm"


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"backbone": None}, "backbone", "it is missing; write 'backbone: NAME'"),
        ({"backbone": {"model": "x"}}, "backbone.use", "it names no component"),
        ({"backbone": {"use": ["timm"]}}, "backbone.use", "it names no component"),
        ({"backbone": {"use": "points"}}, "backbone.use", "'points' exists among the prompts"),
        ({"backbone": {"use": "timm@2"}}, "backbone.use", "names a version that is not installed"),
        ({"backbone": {"use": "timm", "model": "resnet05"}}, "backbone.model", "did you mean 'resnet50'?"),
        (
            {"backbone": {"use": "focal", "detph": 2}},
            "backbone.detph",
            "'focal' has no option 'detph'; did you mean 'depth'?",
        ),
        ({"text_encoder": {"use": "static", "x": 1}}, "text_encoder.x", "'static' has no option 'x'"),
        ({"prompts": "points"}, "prompts", "expected 'all' or a list of names"),
        ({"seemkit": 2}, "seemkit", "got version 2 of the form, this seemkit reads 1"),
        ({"runtime": {"threads": True}}, "runtime.threads", "expected a number of threads"),
        ({"weights": {"file": "a.safetensors", "sha256": "12"}}, "weights.sha256", "got '12'"),
        ({"preprocess": {"mean": [1, 2, float("inf")]}}, "preprocess.mean[2]", "finite number"),
    ],
)
def test_each_wrong_part_is_one_line_at_its_path(nano, registry, change, path, says):
    found = problems({**nano, **change}, registry)
    assert list(found) == [path]
    assert says in found[path]
    assert "\n" not in found[path]


def test_a_component_at_fault_is_a_problem_of_its_slot_and_the_others_are_still_checked(nano, registry):
    registry.register("backbones", "bad", 3)
    registry.expect("backbones", lambda found: None if isinstance(found, type) else "it is a number")
    nano |= {"backbone": "bad", "pixel_decoder": "fpm"}
    found = problems(nano, registry)
    assert set(found) == {"backbone", "pixel_decoder"}
    assert "it is a number" in found["backbone"]


def test_a_component_whose_options_cannot_be_checked_is_a_problem_not_a_crash(nano, registry):
    from pydantic import BaseModel, field_validator

    class Bad:
        class Options(BaseModel):
            x: int = 1

            @field_validator("x")
            @classmethod
            def check(cls, x: int) -> int:
                raise RuntimeError("driver lost")

    registry.register("backbones", "bad", Bad)
    registry.register("backbones", "odd", type("Odd", (), {"Options": 3}))
    nano["backbone"] = {"use": "bad", "x": 1}
    assert "could not be checked (RuntimeError: driver lost)" in problems(nano, registry)["backbone"]
    nano["backbone"] = "odd"
    assert "declares Options that are no pydantic model" in problems(nano, registry)["backbone"]


def test_a_file_says_which_version_of_the_form_it_has(nano, registry, write):
    del nano["seemkit"]
    assert "write 'seemkit: 1'" in problems(write("old.yaml", nano), registry)["seemkit"]
    load_assembly(nano, registry=registry)

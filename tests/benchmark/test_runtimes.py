"""Runtime options are measured next to plain float32, where the device has them."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from seemkit.assembly import RuntimeSection
from seemkit.benchmark import runtimes
from seemkit.benchmark.runtimes import measure_runtimes
from seemkit.benchmark.subject import Subject
from seemkit.runtime.runtime import Runtime


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "SIZES", (64, 96))


def test_what_a_cpu_has_is_measured_and_the_rest_is_named(subject: Subject) -> None:
    cases = list(measure_runtimes(subject))
    assert [case.name for case in cases] == [
        "encode 64 x 64",
        "round 64 x 64",
        "encode 96 x 96",
        "round 96 x 96",
    ]
    for case in cases:
        assert [path.name for path in case.paths] == ["float32", "bfloat16"]
        assert [(ratio.of, ratio.to) for ratio in case.ratios] == [("bfloat16", "float32")]
        assert case.notes[0].startswith("No CUDA here: 'tf32', 'float16', 'pin_memory', 'cuda_graphs', ")
        assert "runtime.compile=true" in case.notes[1]
    figures = {figure.name: figure.value for figure in cases[1].figures}
    assert set(figures) == {"bfloat16: IoU with float32", "bfloat16: largest difference of logits"}
    assert 0 <= figures["bfloat16: IoU with float32"] <= 1
    assert figures["bfloat16: largest difference of logits"] > 0


def test_a_size_that_was_asked_for_is_the_only_one(subject: Subject) -> None:
    subject.asked = 64
    assert [case.name for case in measure_runtimes(subject)] == ["encode 64 x 64", "round 64 x 64"]


def test_options_of_the_command_are_a_path_of_their_own(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject.asked = 64
    section = RuntimeSection(compile=True, precision="bfloat16", compile_sizes=2)
    subject.model.runtime = Runtime(section)
    monkeypatch.setattr(runtimes, "Runtime", lambda given: Runtime(given, backend="eager"))
    cases = list(measure_runtimes(subject))
    assert [path.name for path in cases[0].paths] == ["float32", "bfloat16", "as set"]
    assert subject.model.runtime.section is section
    torch._dynamo.reset()


def test_where_there_is_cuda_every_option_is_measured_under_its_switches(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    switched: list[RuntimeSection] = []
    checked: list[Mapping[str, Any]] = []
    monkeypatch.setattr(runtimes, "check_runtime", lambda section, device: checked.append(section))
    monkeypatch.setattr(runtimes, "set_process", lambda section, device: switched.append(section))
    models, left_out = runtimes._variants(subject.model, (64, 64))
    assert left_out == []
    assert len(checked) == len(runtimes.VARIANTS)
    assert set(models) == {name for name, options in runtimes.VARIANTS.items() if "compile" not in options}
    ran: list[int] = []
    runtimes._with(models["cuda_graphs"], lambda: ran.append(1))()
    assert (len(ran), [section.cuda_graphs for section in switched]) == (2, [True, True])

"""A runtime option that the device cannot do is refused when the model is loaded, in one sentence."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import seemkit
from seemkit.assembly import RuntimeSection
from seemkit.cli.main import cli
from seemkit.errors import SeemkitError
from seemkit.runtime import check as room
from seemkit.runtime.check import check_runtime
from seemkit_registry.errors import ConfigurationError

CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda"), torch.device("mps")


@pytest.mark.parametrize(
    ("options", "device", "said"),
    [
        ({"precision": "float16"}, CPU, "runtime.precision is float16 on the CPU"),
        ({"precision": "bfloat16"}, MPS, "runtime.precision is bfloat16 on mps"),
        ({"tf32": True}, CPU, "runtime.tf32 is true on cpu; it is for a CUDA device"),
        ({"cuda_graphs": True}, CPU, "runtime.cuda_graphs is true on cpu"),
        ({"pin_memory": True}, MPS, "runtime.pin_memory is true on mps"),
        ({"compile": True}, MPS, "runtime.compile is True on mps"),
        ({"precision": "float16", "tf32": True}, CUDA, "runtime.tf32 is true, and precision float16"),
    ],
)
def test_what_a_device_cannot_do_is_refused(options: dict[str, Any], device: torch.device, said: str) -> None:
    with pytest.raises(SeemkitError) as caught:
        check_runtime(RuntimeSection(**options), device)
    assert str(caught.value).startswith(said)
    assert caught.value.path == said.split()[0]
    assert "\n" not in str(caught.value)


def test_bfloat16_is_refused_where_the_card_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.torch.cuda, "is_bf16_supported", lambda: False)
    monkeypatch.setattr(room.torch.cuda, "get_device_name", lambda device: "Old Card")
    with pytest.raises(SeemkitError, match="bfloat16, which Old Card does not compute in; take float16"):
        check_runtime(RuntimeSection(precision="bfloat16"), CUDA)


@pytest.mark.parametrize(
    ("options", "device"),
    [
        ({}, MPS),
        ({"precision": "bfloat16", "compile": True}, CPU),
        ({"precision": "float16", "cuda_graphs": True, "pin_memory": True, "compile": True}, CUDA),
        ({"tf32": True}, CUDA),
    ],
)
def test_what_a_device_can_do_is_taken(options: dict[str, Any], device: torch.device) -> None:
    check_runtime(RuntimeSection(**options), device)


@pytest.mark.parametrize("mode", ["reduce-overhead", "max-autotune"])
def test_modes_that_bring_graphs_of_their_own_are_refused(assembly: Callable[..., Any], mode: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"runtime\.compile: .* brings CUDA graphs of its own; take true"
    ):
        seemkit.load(assembly(), weights=None, overrides={"runtime.compile": mode})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("precision", "double"),
        ("tf32", 1),
        ("cuda_graphs", "perhaps"),
        ("compile", "fast"),
        ("compile_sizes", 0),
        ("memory_budget", True),
    ],
)
def test_wrong_values_are_refused_at_their_path(
    assembly: Callable[..., Any], path: str, value: object
) -> None:
    with pytest.raises(ConfigurationError, match=f"runtime.{path}: "):
        seemkit.load(assembly(), weights=None, overrides={f"runtime.{path}": value})


def test_the_command_line_says_it_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    from PIL import Image

    Image.new("RGB", (40, 30)).save(tmp_path / "photo.png")
    flags = ["--device", "cpu", "-s", "runtime.cuda_graphs=true", "--point", "3,3"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["segment", str(tmp_path / "photo.png"), *flags], prog_name="seemkit")
    assert ended.value.code == 2
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0
    assert "runtime.cuda_graphs is true on cpu; it is for a CUDA device" in said

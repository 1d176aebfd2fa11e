"""Files that are no published weights: each is refused with its reason, and nothing of it runs."""

import argparse
import io
import os
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save as to_safetensors
from torch import Tensor

from seemkit.checkpoint.read import read_state
from seemkit.errors import WeightsError


class Danger:
    """What unpickling would run, if it were allowed to."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {Path.cwd() / 'ran'}",)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to work in, where running code would leave a file."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def refuse(path: Path, sentence: str) -> None:
    with pytest.raises(WeightsError, match=sentence) as caught:
        read_state(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path.name} ")
    assert caught.value.path == str(path)
    assert not Path("ran").exists()


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_code_in_a_pickle_is_named_and_not_run(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "plain.pt"
    path.write_bytes(pickle.dumps({"a": Danger()}, protocol=protocol))
    refuse(path, r"it wants 'posix\.system', which is not loaded, and nothing of it was run")


@pytest.mark.parametrize("modern", [True, False], ids=["zip", "old form"])
@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ({"a": Danger()}, r"posix\.system"),
        ({"module": {"a": Danger()}}, r"posix\.system"),
        ({"a": torch.ones(2), "args": argparse.Namespace(lr=1)}, r"argparse\.Namespace"),
        (torch.nn.Linear(2, 2), r"torch\.nn\.modules\.linear\.Linear"),
    ],
    ids=["code", "code inside", "arguments", "a module"],
)
def test_objects_in_a_torch_file_are_named(content: Any, wanted: str, modern: bool, save: Any) -> None:
    refuse(save(content, _use_new_zipfile_serialization=modern), f"it wants '{wanted}', which is not loaded")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([1, 2], "holds a list, and no state dict"),
        (torch.ones(3), "holds a Tensor, and no state dict"),
        ({}, "holds nothing, and no state dict"),
        ({"model": "text"}, "more than dense tensors by name: 'model' is a str"),
        ({"a": torch.ones(1), "epoch": 3, "b": None}, "'epoch' is a int, 'b' is a NoneType"),
        ({"a": torch.ones(2, 2).to_sparse()}, "'a' is a sparse, nested or quantised tensor"),
        ({"a": torch.ones(2, device="meta")}, r"'a' is a tensor without values \(meta\)"),
        ({f"k{i}": i for i in range(30)}, "'k19' is a int and 10 more like it$"),
    ],
)
def test_what_is_no_tensor_is_named(content: Any, sentence: str, save: Any) -> None:
    refuse(save(content), sentence)


SAFETENSORS = to_safetensors({"a": torch.ones(2)})
FAKES = {
    "empty": (b"", "is empty; download it again"),
    "web page": (b"\n <!DOCTYPE html><html></html>", "is a web page and not the file; .* '/resolve/'"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "is a pointer of git-lfs"),
    "safetensors": (SAFETENSORS, "is a safetensors file already; give it to --weights"),
    "text": (b"hello world, this is no model", "is no PyTorch file"),
    "noise": (random.Random(1).randbytes(5000), "is no PyTorch file"),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(100), "is no PyTorch file"),
    "one byte": (b"P", "is no PyTorch file"),
}


@pytest.mark.parametrize("name", FAKES)
def test_what_is_something_else_is_told_apart(name: str, tmp_path: Path) -> None:
    content, sentence = FAKES[name]
    path = tmp_path / "seem.pt"
    path.write_bytes(content)
    refuse(path, sentence)


def test_another_zip_archive_is_no_torch_file(tmp_path: Path) -> None:
    path = tmp_path / "seem.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    refuse(path, "is a zip archive, but no whole file of torch.save")


@pytest.mark.parametrize("share", [1e-6, 0.001, 0.1, 0.5, 0.9, 0.999, 0.99999])
def test_a_file_that_is_cut_off_is_said_to_be(share: float, save: Any, theirs: dict[str, Tensor]) -> None:
    path = save(theirs)
    whole = path.read_bytes()
    path.write_bytes(whole[: max(4, int(len(whole) * share))])
    refuse(path, r"is cut off after \d+ bytes or damaged; download it again")


@pytest.mark.parametrize("share", [0.001, 0.5, 0.99999])
def test_an_old_file_that_is_cut_off_is_no_file(share: float, save: Any, theirs: dict[str, Tensor]) -> None:
    path = save(theirs, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    refuse(path, "is no PyTorch file: torch.save did not write it, or it is damaged")


@pytest.mark.parametrize("seed", range(8))
def test_a_file_with_damaged_bytes_is_read_or_refused(seed: int, save: Any) -> None:
    path = save({f"layer{i}.weight": torch.ones(3, 4) for i in range(5)})
    content, draw = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(30):
        content[draw.randrange(len(content))] = draw.randrange(256)
    path.write_bytes(content)
    try:
        assert all(isinstance(value, Tensor) for value in read_state(path).values())
    except WeightsError as error:
        assert str(error).count("\n") == 0  # noqa: PT017 - either is right


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    refuse(tmp_path / "gone.pt", "does not exist; give a published .pt file")
    (tmp_path / "folder.pt").mkdir()
    refuse(tmp_path / "folder.pt", "is a folder; give the .pt file in it")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.pt")
        refuse(tmp_path / "pipe.pt", "is not a regular file")


def test_a_file_that_may_not_be_read_is_said(
    save: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opened = save({"a": torch.ones(1)}), io.open

    def forbid(file: Any, *args: Any, **options: Any) -> Any:  # also where the tests run as root
        if file == path:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(file, *args, **options)

    monkeypatch.setattr("io.open", forbid)
    refuse(path, "cannot be read: Permission denied")

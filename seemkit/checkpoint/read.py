"""Reads a published `.pt` file into tensors by name; none of its code runs, and a refusal says why."""

from __future__ import annotations

import os
import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from seemkit.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["read_state"]

WRAPPERS = ("module.", "model.")
"""What data-parallel training and the original's own wrapper put before every name, in either order."""
ZIP, LFS = b"PK", b"version https://git-lfs"


def read_state(source: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The state dict of a published file or of a training checkpoint, by the published names without prefixes.

    Values stay in the file (memory-mapped) as far as its form allows.

    Raises:
        WeightsError: no such file, or one that does not hold dense tensors by name and nothing else.
    """
    path = Path(source)
    stored = _load(path, _sniff(path))
    if isinstance(stored, Mapping) and isinstance(stored.get("module"), Mapping):  # training checkpoint
        stored = stored["module"]
    if not isinstance(stored, Mapping) or not stored:
        what = "nothing" if isinstance(stored, Mapping) else f"a {type(stored).__name__}"
        raise _refuse(path, f"holds {what}, and no state dict, that is tensors by name")
    if wrong := [f"{key!r} is {said}" for key, value in stored.items() if (said := _not_plain(value))]:
        more = f" and {len(wrong) - 20} more like it" if len(wrong) > 20 else ""
        raise _refuse(path, f"holds more than dense tensors by name: {', '.join(wrong[:20])}{more}")
    state: dict[str, Tensor] = {}
    for key, value in stored.items():
        name = _unwrap(str(key))
        if name in state:
            raise _refuse(path, f"holds {name!r} twice, once behind a prefix")
        state[name] = value
    return state


def _sniff(path: Path) -> bytes:
    """The first bytes, if there is hope; else says what the file is instead."""
    if path.is_dir():
        raise _refuse(path, "is a folder; give the .pt file in it")
    if not path.is_file():
        said = "is not a regular file" if path.exists() else "does not exist"
        raise _refuse(path, f"{said}; give a published .pt file")
    try:
        with path.open("rb") as file:
            head = file.read(256)
    except OSError as error:
        raise _refuse(path, f"cannot be read: {error.strerror or error}") from error
    if not head:
        raise _refuse(path, "is empty; download it again")
    if head.startswith(LFS):
        raise _refuse(path, "is a pointer of git-lfs and not the file itself; get that with 'git lfs pull'")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise _refuse(path, "is a web page and not the file; download it from '/resolve/', not from '/blob/'")
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") < path.stat().st_size:
        raise _refuse(path, "is a safetensors file already; give it to --weights as it is")
    return head


def _load(path: Path, head: bytes) -> object:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=head.startswith(ZIP))
    except pickle.UnpicklingError as fault:
        raise _refuse(path, _why(path, head, str(fault))) from fault
    except Exception as fault:  # a damaged file can fail anywhere in the unpickler
        if head.startswith(ZIP) and not zipfile.is_zipfile(path):
            size = path.stat().st_size
            raise _refuse(path, f"is cut off after {size} bytes or damaged; download it again") from fault
        raise _refuse(path, _why(path, head, "")) from fault


def _why(path: Path, head: bytes, said: str) -> str:
    """Why the unpickler refused, in words."""
    found = re.search(r"GLOBAL ([\w.]+)", said)
    wanted = [found[1]] if found else [name for name in _globals(path, head) if not name.startswith("torch.")]
    if wanted:
        return (
            f"holds code or objects beside tensors: it wants {wanted[0]!r}, which is not loaded, and nothing of "
            "it was run; save the state dict alone"
        )
    if head.startswith(ZIP):
        return "is a zip archive, but no whole file of torch.save; download it again"
    return "is no PyTorch file: torch.save did not write it, or it is damaged"


def _globals(path: Path, head: bytes) -> Iterator[str]:
    """What a pickle names to be imported, read without importing it; as far as it can be read."""
    if head.startswith(ZIP):
        return
    words: list[str] = []
    try:
        with path.open("rb") as file:
            for code, argument, _ in pickletools.genops(file):
                if code.name == "GLOBAL":
                    yield str(argument).replace(" ", ".")
                elif code.name == "STACK_GLOBAL" and len(words) >= 2:
                    yield ".".join(words[-2:])
                elif isinstance(argument, str):
                    words.append(argument)
    except Exception:  # no pickle, or the end of one
        return


def _not_plain(value: object) -> str | None:
    """What a value is if it is not a dense tensor in main memory."""
    import torch

    if not isinstance(value, torch.Tensor):
        return f"a {type(value).__name__}"
    if value.layout != torch.strided or value.is_quantized or value.is_nested:
        return "a sparse, nested or quantised tensor"
    if value.device.type != "cpu":
        return f"a tensor without values ({value.device})"
    return None


def _unwrap(key: str) -> str:
    while key.startswith(WRAPPERS):
        key = key.partition(".")[2]
    return key


def _refuse(path: Path, said: str) -> WeightsError:
    return WeightsError(f"{path.name or path} {said}", path=str(path))

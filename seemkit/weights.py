"""Weights files: safetensors with a record of what they belong to, read strictly and written whole."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from seemkit.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

    from seemkit.network.network import Network

__all__ = ["load_weights", "save_weights"]

FORMAT = "seemkit-weights-1"


def save_weights(
    network: Network,
    path: str | os.PathLike[str],
    about: Mapping[str, object],
    *,
    half: bool = False,
    leave_out: tuple[str, ...] = (),
) -> Path:
    """Write a network's weights, whole or not at all.

    Args:
        network: the network.
        path: the file.
        about: what to record: assembly, licence, recipe, versions of plugins with learned parts.
        half: store floating-point values as float16 (they are read as float32).
        leave_out: prefixes of parameters that are stored elsewhere, such as a text table of a plugin.
    """
    import torch
    from safetensors.torch import save_file

    tensors = {}
    for name, value in network.state_dict().items():
        if not name.startswith(leave_out):
            kept = value.detach().cpu().contiguous()
            tensors[name] = kept.half() if half and kept.dtype == torch.float32 else kept
    target = Path(path)
    handle, part = tempfile.mkstemp(dir=target.parent, suffix=".part")
    os.close(handle)
    try:
        record = {"format": FORMAT, "leave_out": list(leave_out), **about}
        save_file(tensors, part, metadata={"seemkit": json.dumps(record)})
        os.replace(part, target)
    finally:
        Path(part).unlink(missing_ok=True)
    return target


def load_weights(network: Network, path: str | os.PathLike[str], *, sha256: str | None = None) -> dict[str, object]:
    """Load a weights file into a network, strictly; returns what the file says of itself.

    Raises:
        WeightsError: no such file, another content than recorded, damaged, or parameters that are missing, unknown
            or of another shape; the network is then unchanged.
    """
    import hashlib

    from safetensors import SafetensorError, safe_open

    source = Path(path)
    if not source.is_file():
        raise WeightsError(f"there is no weights file {source}", path=str(source))
    if sha256 is not None and hashlib.sha256(source.read_bytes()).hexdigest() != sha256:
        raise WeightsError(f"{source.name} is not the file that the assembly records: its SHA-256 differs")
    try:
        with safe_open(str(source), framework="pt") as file:
            about: dict[str, object] = json.loads((file.metadata() or {}).get("seemkit", "{}"))
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise WeightsError(f"{source.name} is not a whole safetensors file: {error}", path=str(source)) from error
    left_out = tuple(str(p) for p in about.get("leave_out") or ())  # type: ignore[attr-defined]
    own = network.state_dict()
    missing = [n for n in own if n not in tensors and not (left_out and n.startswith(left_out))]
    unknown = [n for n in tensors if n not in own]
    shapes = [n for n in tensors if n in own and tensors[n].shape != own[n].shape]
    for what, names in (("lacks", missing), ("has unknown", unknown), ("has misshapen", shapes)):
        if names:
            some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            raise WeightsError(
                f"{source.name} does not fit the assembly: it {what} {some}", path=names[0]
            )
    network.load_state_dict({n: t.to(own[n].dtype) for n, t in tensors.items()}, strict=False)
    return about

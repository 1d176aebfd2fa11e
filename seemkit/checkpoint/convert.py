"""A published `.pt` file to a weights file of ours: none of its code runs, and it fits or is refused."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from seemkit.checkpoint.keys import guess_family, is_ignorable, shape_to_ours, to_ours
from seemkit.errors import WeightsError
from seemkit.weights import save_weights

if TYPE_CHECKING:
    from torch import Tensor

    from seemkit.network.network import Network

__all__ = ["convert_checkpoint", "read_published"]

WRAPPERS = ("module.", "model.")
"""What data-parallel training and the original's own wrapper put before every name."""


def convert_checkpoint(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    network: Network,
    about: Mapping[str, object],
    *,
    half: bool = False,
) -> Path:
    """Write the parameters of a published file as a weights file for an assembly.

    The network takes the weights too. v0, v1 and demo files hold the same names and shapes, so which of them
    a file is cannot be checked: the assembly that the caller names has to be the right one.

    Args:
        source: the `.pt` file.
        target: the safetensors file, written whole or not at all.
        network: of the assembly that the file is for.
        about: what to record beside the weights.
        half: store float16.

    Raises:
        WeightsError: the file cannot be read, holds an unknown name, or does not fit the network exactly.
    """
    tensors = read_published(source)
    own = network.state_dict()
    name = Path(source).name
    complain(name, "has no", (key for key in own if key not in tensors))
    complain(name, "holds the unwanted", (key for key in tensors if key not in own))
    complain(name, "has another shape of", (key for key in own if own[key].shape != tensors[key].shape))
    network.load_state_dict({key: value.to(own[key].dtype) for key, value in tensors.items()})
    return save_weights(network, target, {"source": name, **about}, half=half)


def read_published(source: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The parameters of a published SEEM or X-Decoder file, or of its training checkpoint, by our names.

    Raises:
        WeightsError: no such file, not one that holds only tensors, or a name that no SEEM file has.
    """
    import torch

    path = Path(source)
    if not path.is_file():
        raise WeightsError(f"there is no file {path}", path=str(path))
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as fault:
        raise WeightsError(
            f"{path.name} is no PyTorch file that holds only tensors", path=str(path)
        ) from fault
    if isinstance(stored, Mapping) and isinstance(stored.get("module"), Mapping):  # training checkpoint
        stored = stored["module"]
    if not isinstance(stored, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in stored.values()
    ):
        raise WeightsError(f"{path.name} holds no state dict, that is tensors by name", path=str(path))
    published = {unwrap(str(key)): value for key, value in stored.items()}
    family = guess_family(published)
    named = {to_ours(key, family): value for key, value in published.items() if not is_ignorable(key)}
    return {key: value.reshape(shape_to_ours(key, value.shape, family)) for key, value in named.items()}


def unwrap(key: str) -> str:
    for wrapper in WRAPPERS:
        key = key.removeprefix(wrapper)
    return key


def complain(name: str, what: str, keys: Iterable[str]) -> None:
    """Raise one sentence with the first few names, if there are any."""
    found = list(keys)
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise WeightsError(
            f"{name} does not fit the assembly: it {what} {', '.join(found[:3])}{more}", path=found[0]
        )

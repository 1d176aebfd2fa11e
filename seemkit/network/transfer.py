"""What goes to the device of the weights and what comes back, without waiting on the way there.

A copy to a GPU lets the host wait unless it is told not to, and it overlaps with computing only from pinned memory.
What a round asks for goes in by :func:`send`; what it found comes out by one :func:`fetch`, the only wait of a round.
"""

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["fetch", "send"]


def send(x: Tensor, device: torch.device, pinned: bool = False) -> Tensor:
    """A tensor on another device; the host does not wait for the copy.

    Args:
        x: on any device; one that lies on `device` already is given back.
        device: where it is wanted.
        pinned: copy by way of pinned memory if that device is a CUDA device.
    """
    if x.device == device:
        return x
    if pinned and device.type == "cuda" and x.device.type == "cpu":
        x = x.pin_memory()
    return x.to(device, non_blocking=x.device.type == "cpu")


def fetch(tensors: Sequence[Tensor], pinned: bool = False) -> list[NDArray[Any]]:
    """Tensors as arrays of the host, after one wait for all that was asked of their device.

    Args:
        tensors: of one device; bfloat16, which numpy has not, is refused by it.
        pinned: copy by way of pinned memory if the device is a CUDA device.
    """
    if not pinned or not tensors or tensors[0].device.type != "cuda":
        return [x.cpu().numpy() for x in tensors]
    host = [torch.empty(x.shape, dtype=x.dtype, pin_memory=True) for x in tensors]
    for x, place in zip(tensors, host, strict=True):
        place.copy_(x, non_blocking=True)
    torch.cuda.current_stream(tensors[0].device).synchronize()
    return [place.numpy().copy() for place in host]  # pinned memory is scarce: it goes back at once

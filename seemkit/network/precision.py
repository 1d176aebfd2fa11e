"""Which parts of a reduced-precision run stay in single precision."""

import torch
from torch import Tensor

__all__ = ["at_least_single", "autocast_kind", "full_precision"]


def full_precision(device: torch.device) -> torch.autocast:
    """A context in which autocast casts nothing down."""
    return torch.autocast(autocast_kind(device), enabled=False)


def autocast_kind(device: torch.device) -> str:
    """The device type whose autocast counts for tensors of a device; the CPU's where there is none."""
    known = device.type != "meta" and torch.amp.is_autocast_available(device.type)
    return device.type if known else "cpu"


def at_least_single(x: Tensor) -> Tensor:
    """`x`, in float32 if it is of less; a float32 or float64 tensor is given back."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x

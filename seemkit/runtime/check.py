"""Runtime options held against the device that they are for, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from seemkit.errors import SeemkitError

if TYPE_CHECKING:
    from seemkit.assembly import RuntimeSection

__all__ = ["check_runtime"]


def check_runtime(section: RuntimeSection, device: torch.device) -> None:
    """Raise :class:`SeemkitError`, in one sentence, for an option that the device has no way to do.

    Args:
        section: the options.
        device: where the weights will be.
    """
    kind = device.type
    if section.precision == "float16" and kind == "cpu":
        _refuse("precision", "float16 on the CPU, where it is slow and overflows", "take bfloat16 or float32")
    if section.precision != "float32" and kind not in ("cpu", "cuda"):
        _refuse("precision", f"{section.precision} on {kind}, where it was never tried", "take float32")
    if section.precision == "bfloat16" and kind == "cuda" and not torch.cuda.is_bf16_supported():
        name = torch.cuda.get_device_name(device)
        _refuse("precision", f"bfloat16, which {name} does not compute in", "take float16 or float32")
    if section.precision != "float32" and section.tf32:
        _refuse("tf32", f"true, and precision {section.precision}", "take one of the two")
    for name in ("tf32", "cuda_graphs", "pin_memory"):
        if getattr(section, name) and kind != "cuda":
            _refuse(
                name, f"true on {kind}", "it is for a CUDA device; leave it false, or choose one with device"
            )
    if section.compile and kind not in ("cpu", "cuda"):
        _refuse("compile", f"{section.compile} on {kind}, where it was never tried", "leave it false")


def _refuse(option: str, given: str, way_out: str) -> None:
    raise SeemkitError(f"runtime.{option} is {given}; {way_out}", path=f"runtime.{option}")

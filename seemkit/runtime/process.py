"""What torch has once for the whole process: threads of the CPU, and how CUDA multiplies float32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from seemkit.assembly import RuntimeSection

__all__ = ["set_process"]


def set_process(section: RuntimeSection, device: torch.device) -> None:
    """Set them as the options say; the model that was loaded last decides.

    Torch itself lets convolutions, though not other products, round their float32 factors to TF32. For weights on
    CUDA that is switched off or on for both; for a model elsewhere it stays as it is.

    Args:
        section: the options.
        device: where the weights will be.
    """
    if section.threads is not None:
        torch.set_num_threads(section.threads)
    if device.type == "cuda":
        # not by the newer `fp32_precision`, after which torch's own code cannot read these any more
        torch.backends.cuda.matmul.allow_tf32 = section.tf32
        torch.backends.cudnn.allow_tf32 = section.tf32

"""The most memory that a run takes on top of what was there before it."""

from collections.abc import Callable

import torch

from seemkit.pipeline.peak_memory import PeakMemory

__all__ = ["peak_bytes"]


def peak_bytes(run: Callable[[], object], device: torch.device) -> int:
    """Bytes of tensors at the worst moment: CUDA's own count, elsewhere that of what operations make."""
    with torch.no_grad():
        if device.type == "cuda":
            torch.cuda.synchronize(device)
            torch.cuda.reset_peak_memory_stats(device)
            before = torch.cuda.memory_allocated(device)
            run()
            torch.cuda.synchronize(device)
            return int(torch.cuda.max_memory_allocated(device) - before)
        with PeakMemory() as memory:
            run()
        return int(memory.peak)

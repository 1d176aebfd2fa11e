"""Floating-point operations of a run: matrix products, convolutions and attention; the rest is small beside them."""

from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["count_flops"]


def count_flops(run: Callable[[], object]) -> int:
    """Run once and count; a multiplication and an addition are two operations.

    It works on the meta device too, where nothing is computed. Not counted: samples at points, norms, softmax.
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # one fused operation, which the counter does not know
    try:
        with FlopCounterMode(display=False) as counter:
            run()
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return int(counter.get_total_flops())

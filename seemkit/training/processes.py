"""This process and those that train beside it: a thin layer over accelerate."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from seemkit.errors import SeemkitError

if TYPE_CHECKING:
    from seemkit.training.recipe.sections import RunSection

__all__ = ["Processes", "need_extra"]

EXTRA = "training needs packages that are not installed ({name}); pip install 'seemkit[train]'"


class Processes:
    """Where a run computes; how many processes there are is said by whoever starts them (torchrun, accelerate launch).

    Args:
        options: device and precision.

    Raises:
        SeemkitError: accelerate is not installed, the device is not there, or bf16 is asked for without CUDA.
    """

    def __init__(self, options: "RunSection") -> None:
        need_extra()
        from accelerate import Accelerator
        from accelerate.utils import DistributedDataParallelKwargs

        has_cuda = torch.cuda.is_available()
        if options.device == "cuda" and not has_cuda:
            raise SeemkitError(
                "run.device is 'cuda', which is not there on this machine; take 'auto' or 'cpu'",
                path="run.device",
            )
        on_cpu = options.device == "cpu" or not has_cuda
        if options.precision == "bf16" and on_cpu:
            raise SeemkitError(
                "run.precision is 'bf16', which needs CUDA; take 'float32'", path="run.precision"
            )
        self._accelerator: Any = Accelerator(
            cpu=on_cpu,
            mixed_precision="bf16" if options.precision == "bf16" else "no",
            kwargs_handlers=[
                DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False)
            ],
        )

    @property
    def device(self) -> torch.device:
        """Where this process computes."""
        device: torch.device = self._accelerator.device
        return device

    @property
    def count(self) -> int:
        """How many processes there are."""
        return int(self._accelerator.num_processes)

    @property
    def rank(self) -> int:
        """The number of this one, from 0 on."""
        return int(self._accelerator.process_index)

    @property
    def is_first(self) -> bool:
        """Whether this one writes and talks."""
        return self.rank == 0

    def prepare(self, module: nn.Module, optimiser: torch.optim.Optimizer) -> tuple[nn.Module, Any]:
        """The module with gradients that processes share, and the optimiser of it."""
        prepared = self._accelerator.prepare(module, optimiser)
        return prepared[0], prepared[1]

    def sum(self, values: Tensor) -> Tensor:
        """The sum of a tensor over all processes."""
        total: Tensor = self._accelerator.reduce(values, reduction="sum")
        return total

    @contextmanager
    def alone(self, module: nn.Module) -> Iterator[None]:
        """Gradients are kept to this process meanwhile."""
        with self._accelerator.no_sync(module):
            yield

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss."""
        self._accelerator.backward(loss)

    def clip(self, parameters: Sequence[nn.Parameter], most: float) -> float:
        """Limit the norm of the gradient; gives what it was."""
        return float(self._accelerator.clip_grad_norm_(parameters, most))

    def wait(self) -> None:
        """Until all processes are here."""
        self._accelerator.wait_for_everyone()

    def end(self) -> None:
        """Let the other processes go."""
        self._accelerator.end_training()


def need_extra() -> None:
    """Raise :class:`SeemkitError` unless the extra `train` is installed."""
    for name in ("accelerate", "torchvision", "tensorboard"):
        try:
            __import__(name)
        except ModuleNotFoundError as error:
            raise SeemkitError(EXTRA.format(name=name), path=name) from error

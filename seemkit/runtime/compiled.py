"""Functions compiled for one shape each, for a bounded number of shapes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from seemkit_registry.fault import one_line

__all__ = ["CompiledSteps", "Step"]

Step = Callable[..., tuple[Tensor, ...]]
"""Tensors in, tensors out; its shapes are fixed."""


class CompiledSteps:
    """One function, compiled anew for each shape that it is asked for, up to a limit.

    torch.compile keeps what it made for a function's code and gives up on code that it had to compile often. So
    each shape gets a copy of the code, and the limit here is the only one.

    Args:
        what: what sentences call it.
        mode: of torch.compile.
        limit: how many shapes are compiled; those that come later run as they are.
        whole: refuse breaks of the graph.
        backend: of torch.compile.
    """

    def __init__(
        self,
        what: str,
        mode: str,
        limit: int,
        *,
        whole: bool = False,
        backend: str | Callable[..., Any] = "inductor",
    ) -> None:
        self.what = what
        self.limit = limit
        self._options: dict[str, Any] = {"dynamic": False, "fullgraph": whole, "backend": backend}
        if backend == "inductor":
            self._options["mode"] = mode
        self._steps: dict[Hashable, Step] = {}
        self._first = threading.Lock()
        self._broken = False

    def __len__(self) -> int:
        return len(self._steps)

    def run(self, key: Hashable, make: Callable[[], Step], *tensors: Tensor) -> tuple[Tensor, ...]:
        """What `make()` computes of the tensors, compiled if `key` is among the first shapes.

        If compiling fails, the log says so once, in a sentence, and from then on nothing is compiled.

        Args:
            key: tells shapes, and whatever else `make` goes by, apart.
            make: gives the function.
            tensors: what it is called with.
        """
        step = self._steps.get(key)
        if step is not None:
            return step(*tensors)
        with self._first:
            if key in self._steps:
                return self._steps[key](*tensors)
            plain = make()
            if self._broken or len(self._steps) >= self.limit:
                return plain(*tensors)
            compiled: Step = torch.compile(_own_code(plain), **self._options)
            try:
                made = compiled(*tensors)
            except Exception as error:
                made = plain(*tensors)  # an error of the step itself is raised here
                self._broken = True
                logging.getLogger("seemkit").warning(
                    "%s could not be compiled and runs as it is, for torch said %s: %s; leave runtime.compile out "
                    "to be spared this sentence",
                    self.what,
                    type(error).__name__,
                    one_line(str(error), 200),
                )
                return made
            self._steps[key] = compiled
            return made


def _own_code(step: Step) -> Step:
    """The same function with code of its own."""
    assert isinstance(step, FunctionType)
    copy = FunctionType(
        step.__code__.replace(), step.__globals__, step.__name__, step.__defaults__, step.__closure__
    )
    copy.__kwdefaults__ = step.__kwdefaults__
    return copy

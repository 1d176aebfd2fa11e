"""A watch that tells, without a GPU, where the host would wait for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

WAITING = {
    "aten::_local_scalar_dense",
    "aten::nonzero",
    "aten::nonzero_numpy",
    "aten::masked_select",
    "aten::equal",
    "aten::unique_dim",
    "aten::_unique2",
    "aten::unique_consecutive",
    "aten::repeat_interleave",
    "aten::bincount",
}
"""Operations whose result or its size the host has to know."""
READING = {"cpu", "numpy", "tolist", "item", "__array__", "__bool__", "__int__", "__float__", "__index__"}
"""Methods of a tensor that bring it to the host."""


class DeviceWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows which tensors would lie on a GPU: the given ones, what is sent there and what is made of them.

    What is made of nothing (zeros, ranges) could lie on either side, and is taken for the GPU's where it is read.

    Attributes:
        waits: where the host would wait, as names of operations.
        mixed: operations that take a tensor of the host and one of the GPU, which CUDA refuses.
    """

    def __init__(self, there: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.waits: list[str] = []
        self.mixed: list[str] = []
        self._side: Any = WeakIdKeyDictionary()
        for x in there:
            self._side[x] = "device"

    def side(self, x: Tensor) -> str:
        """ "device", "either" or "host"; a tensor that nobody has seen comes from an array of the host."""
        return str(self._side.get(x, "host"))

    def put(self, x: Tensor, side: str) -> None:
        """Note where a tensor lies."""
        self._side[x] = side

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        sides = {self.side(x) for x in given}
        name = func._schema.name
        if sides & {"device", "either"}:
            by_mask = name in ("aten::index", "aten::index_put", "aten::index_put_") and any(
                x.dtype in (torch.bool, torch.uint8) for x in given[1:] if x.dim()
            )
            if by_mask or (name in WAITING and func._overloadname not in ("self_int",)):
                self.waits.append(name)
        if "device" in sides and any(self.side(x) == "host" and x.dim() for x in given):
            self.mixed.append(name)
        made = func(*args, **(kwargs or {}))
        side = "device" if "device" in sides else "host" if "host" in sides else "either"
        if name == "aten::lift_fresh":
            side = "host"
        for x in tree_leaves(made):
            if isinstance(x, Tensor):
                self.put(x, side)
        return made


class ReadWatch(TorchFunctionMode):
    """Notes methods that bring a tensor of the GPU to the host, which on a CPU are no operation."""

    def __init__(self, watch: DeviceWatch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        reads = name in READING and isinstance(args[0], Tensor) and self.watch.side(args[0]) != "host"
        if reads and name not in (
            "item",
            "__bool__",
            "__int__",
            "__float__",
            "__index__",
        ):  # operations, all of them
            self.watch.waits.append(f"Tensor.{name}")
        return func(*args, **(kwargs or {}))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`with watched(model, scene) as watch:` follows everything up to the one transfer of the result."""
    from seemkit.network import sampler, transfer
    from seemkit.pipeline import concept_rows, parts, stack, vocabulary
    from seemkit.runtime import runtime

    @contextmanager
    def watching(model: Any, scene: Any) -> Iterator[DeviceWatch]:
        prepared = model.prepare(scene)
        held = tree_leaves([*vars(prepared).values(), *vars(prepared.mask_features).values(), *scene.levels])
        kept = [x for x in (*held, scene.fine) if isinstance(x, Tensor)]
        kept += [*model.network.parameters(), *model.network.buffers()]
        kept += [x for phrase in model._texts for x in (phrase.tokens, phrase.embedding)]
        kept += [x for names in model._vocabularies._kept for x in names.values()]
        watch = DeviceWatch(kept)

        def send(x: Tensor, device: torch.device, pinned: bool = False) -> Tensor:
            there = x.clone()
            watch.put(there, "device")
            return there

        fetches: list[int] = []

        def fetch(tensors: Sequence[Tensor], pinned: bool = False) -> Any:
            fetches.append(len(tensors))
            for x in tensors:
                watch.put(x, "host")
            return [x.numpy() for x in tensors]

        for module in (sampler, stack, vocabulary, concept_rows, parts, runtime, transfer):
            monkeypatch.setattr(module, "send", send, raising=False)
        monkeypatch.setattr(runtime, "fetch", fetch)
        watch.fetches = fetches  # type: ignore[attr-defined]
        with torch.no_grad(), ReadWatch(watch), watch:
            yield watch

    return watching

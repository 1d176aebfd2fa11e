"""Decoder passes recorded as CUDA graphs: what launches hundreds of kernels once is replayed with one call."""

from __future__ import annotations

import logging
import threading
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from seemkit.runtime.compiled import Step
from seemkit.runtime.forms import shapes_of
from seemkit_registry.fault import one_line

__all__ = ["CudaRecorder", "Graphs", "Recorded", "Recorder"]

GRAPHS = 8
"""Forms whose graphs are kept; the one replayed longest ago goes first."""
SCENES = 2
"""Sizes of scenes that graphs are kept for."""
WARM_UPS = 2
"""Runs before a recording: libraries set themselves up, and what is compiled is compiled."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """A recording: `replay` computes `outputs` anew from the tensors that it was recorded with."""

    replay: Callable[[], None]
    outputs: tuple[Tensor, ...]


class Recorder(Protocol):
    """What records; the tests bring one that needs no GPU."""

    def record(self, run: Callable[[], tuple[Tensor, ...]]) -> Recorded:
        """Record what `run` does."""

    def order(self) -> None:
        """Let what follows on this thread's stream wait for what was replayed last, whoever did."""

    def done(self) -> None:
        """Note that the outputs of a replay have been read."""

    def settle(self) -> None:
        """Wait until nothing that was recorded is running."""


class CudaRecorder:
    """Records with torch.cuda; all recordings share one pool of memory, for one replays at a time."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()
        with torch.cuda.device(device):
            self._side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            self._read = torch.cuda.Event()  # type: ignore[no-untyped-call]

    def record(self, run: Callable[[], tuple[Tensor, ...]]) -> Recorded:
        """Warm up on a stream apart, then record on it."""
        with torch.cuda.device(self._device):
            self._side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._side):
                for _ in range(WARM_UPS):
                    run()
            torch.cuda.current_stream().wait_stream(self._side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(
                graph, pool=self._pool, stream=self._side, capture_error_mode="thread_local"
            ):
                outputs = run()
        return Recorded(graph.replay, outputs)

    def order(self) -> None:
        """Wait, on the stream and not on the host."""
        torch.cuda.current_stream(self._device).wait_event(self._read)

    def done(self) -> None:
        """Mark this place of the stream."""
        self._read.record(torch.cuda.current_stream(self._device))

    def settle(self) -> None:
        """Wait on the host."""
        torch.cuda.synchronize(self._device)


@dataclass(eq=False)
class _Slot:
    """Fixed tensors that hold what passes read of a scene of one size; `holds` says of which scene."""

    tensors: list[Tensor]
    holds: weakref.ref[object] | None = None


@dataclass(eq=False)
class _Graph:
    slot: _Slot
    inputs: list[Tensor]
    recorded: Recorded = field(repr=False)


class Graphs:
    """Recordings by form, bounded, for one thread at a time.

    A form is recorded when it is seen for the second time. Its inputs are fixed tensors, into which those of a
    call are copied; what the scene gives is copied when the scene changes only.

    Args:
        recorder: what records.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._lock = threading.Lock()
        self._graphs: OrderedDict[Hashable, _Graph] = OrderedDict()
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._seen: Counter[Hashable] = Counter()
        self.broken = False
        """Whether a recording failed, after which everything runs as it is."""

    def __len__(self) -> int:
        return len(self._graphs)

    def run(
        self, key: Hashable, step: Step, scene: object, held: Sequence[Tensor], given: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """What `step(*held, *given)` computes.

        If recording fails, the log says so once, in a sentence, and from then on nothing is recorded.

        Args:
            key: tells apart whatever `step` goes by but the shapes.
            step: what is recorded.
            scene: whose tensors `held` are.
            held: what a pass reads of the scene.
            given: everything else.
        """
        place = shapes_of(held)
        form = (key, place, shapes_of(given))
        with self._lock:
            graph = self._find(form, place, step, held, given)
            if graph is not None:
                self._recorder.order()
                self._fill(graph, scene, held, given)
                graph.recorded.replay()
                outputs = tuple(x.clone() for x in graph.recorded.outputs)
                self._recorder.done()
                return outputs
        return step(*held, *given)

    def _find(
        self, form: Hashable, place: Hashable, step: Step, held: Sequence[Tensor], given: Sequence[Tensor]
    ) -> _Graph | None:
        """The graph of a form, recorded if need be; None if there is to be none."""
        if self.broken or not self._known(form):
            return None
        if form not in self._graphs:
            self._recorder.order()
            try:
                self._record(form, place, step, held, given)
            except Exception as error:
                self._give_up(error)
                return None
        self._graphs.move_to_end(form)
        self._slots.move_to_end(place)
        return self._graphs[form]

    def _known(self, form: Hashable) -> bool:
        """Whether a form has a graph, or is seen again and gets one."""
        if form in self._graphs:
            return True
        if len(self._seen) > 16 * GRAPHS:
            self._seen.clear()
        self._seen[form] += 1
        return self._seen[form] > 1

    def _record(
        self, form: Hashable, place: Hashable, step: Step, held: Sequence[Tensor], given: Sequence[Tensor]
    ) -> None:
        slot = self._slots.get(place)
        if slot is None:
            slot = self._slots[place] = _Slot([torch.empty_like(x) for x in held])
        self._slots.move_to_end(place)
        self._make_room()
        inputs = [torch.empty_like(x) for x in given]
        _copy(slot.tensors, held)
        slot.holds = None
        _copy(inputs, given)
        recorded = self._recorder.record(lambda: step(*slot.tensors, *inputs))
        self._graphs[form] = _Graph(slot, inputs, recorded)

    def _make_room(self) -> None:
        """Let go of what was used longest ago, once nothing of it is running."""
        crowded = len(self._slots) > SCENES or len(self._graphs) >= GRAPHS
        if crowded:
            self._recorder.settle()
        while len(self._slots) > SCENES:
            _, gone = self._slots.popitem(last=False)
            for form in [form for form, graph in self._graphs.items() if graph.slot is gone]:
                self._forget(form)
        while len(self._graphs) >= GRAPHS:
            self._forget(next(iter(self._graphs)))

    def _forget(self, form: Hashable) -> None:
        del self._graphs[form]
        del self._seen[form]

    def _fill(self, graph: _Graph, scene: object, held: Sequence[Tensor], given: Sequence[Tensor]) -> None:
        slot = graph.slot
        if slot.holds is None or slot.holds() is not scene:
            _copy(slot.tensors, held)
            slot.holds = weakref.ref(scene)
        _copy(graph.inputs, given)

    def _give_up(self, error: Exception) -> None:
        self.broken = True
        self._recorder.settle()
        self._graphs.clear()
        self._slots.clear()
        logging.getLogger("seemkit").warning(
            "the decoder could not be recorded as a CUDA graph and runs as it is, for torch said %s: %s; leave "
            "runtime.cuda_graphs out to be spared this sentence",
            type(error).__name__,
            one_line(str(error), 200),
        )


def _copy(places: Sequence[Tensor], tensors: Sequence[Tensor]) -> None:
    for place, x in zip(places, tensors, strict=True):
        place.copy_(x)

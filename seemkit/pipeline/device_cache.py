"""A cache of what lies on a device: a value that one CUDA stream made is right on every other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from seemkit.pipeline.caches import Cache

__all__ = ["DeviceCache", "tensors_in"]

Value = TypeVar("Value")


class DeviceCache(Generic[Value]):
    """A :class:`Cache` for threads that may work on CUDA streams of their own.

    A stream that takes a value which another made waits for it, on the device, and holds its memory until it is done.
    Off CUDA, and where all threads use one stream, as they do by default, nothing is waited for.
    """

    def __init__(self, size: int) -> None:
        self._kept: Cache[_Made[Value]] = Cache(size)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key, made if it is not there."""
        return self._kept.get(key, lambda: _Made(make())).take()

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Value]:
        """What is kept, as of now."""
        return iter([made.value for made in list(self._kept._values.values())])


class _Made(Generic[Value]):
    """A value, and where on which stream it is finished."""

    def __init__(self, value: Value) -> None:
        self.value = value
        self._tensors = [x for x in tensors_in(value) if x.is_cuda]
        self._stream: Any = None
        if self._tensors:
            self._stream = torch.cuda.current_stream(self._tensors[0].device)
            self._finished = self._stream.record_event()

    def take(self) -> Value:
        if self._stream is not None:
            stream = torch.cuda.current_stream(self._tensors[0].device)
            if stream != self._stream:
                stream.wait_event(self._finished)
                for x in self._tensors:
                    x.record_stream(stream)
        return self.value


def tensors_in(value: object) -> Iterator[Tensor]:
    """Every tensor in a value of dataclasses, sequences and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from tensors_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors_in(each)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from tensors_in(getattr(value, field.name))

"""What one CUDA stream made is waited for by the others; there is no CUDA here, so its streams are pretended."""

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from seemkit import Model
from seemkit.pipeline import device_cache as room
from seemkit.pipeline.device_cache import DeviceCache, tensors_in


@dataclass
class Holder:
    one: Tensor
    more: Any = None


class Stream:
    def __init__(self, name: str, said: list[str]) -> None:
        self.name, self.said = name, said

    def record_event(self) -> str:
        return f"end of {self.name}"

    def wait_event(self, event: str) -> None:
        self.said.append(f"{self.name} waits for the {event}")


class OnCuda:
    """A tensor as far as the cache looks at it."""

    is_cuda = True
    device = "cuda:0"

    def __init__(self, said: list[str]) -> None:
        self.said = said

    def record_stream(self, stream: Stream) -> None:
        self.said.append(f"held for {stream.name}")


def test_every_tensor_of_a_value_is_found() -> None:
    a, b, c, d, e = (torch.tensor(i) for i in range(5))
    pair = namedtuple("pair", "x y")
    value = (Holder(a, [b, {"k": (c, "text", None)}]), pair(d, 3), Holder, {"e": Holder(e, Holder(e))})
    assert [int(x) for x in tensors_in(value)] == [0, 1, 2, 3, 4, 4]


def test_another_stream_waits_for_what_is_made_and_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    streams = {name: Stream(name, said) for name in ("first", "second")}
    now = ["first"]
    monkeypatch.setattr(room.torch.cuda, "current_stream", lambda device: streams[now[0]])
    monkeypatch.setattr(room, "tensors_in", lambda value: [OnCuda(said), OnCuda(said)])
    cache: DeviceCache[str] = DeviceCache(2)
    assert cache.get("key", lambda: "value") == "value"
    assert cache.get("key", lambda: "another") == "value"
    assert said == []
    now[0] = "second"
    assert cache.get("key", lambda: "another") == "value"
    assert said == ["second waits for the end of first", "held for second", "held for second"]


def test_on_a_cpu_nothing_is_asked_of_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.torch.cuda, "current_stream", lambda device: pytest.fail("it was"))
    cache: DeviceCache[Holder] = DeviceCache(1)
    made = cache.get("key", lambda: Holder(torch.ones(1)))
    assert cache.get("key", lambda: Holder(torch.ones(1))) is made
    assert list(cache) == [made]
    cache.clear()
    assert len(cache) == 0


def test_all_that_a_prepared_scene_holds_is_found(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8]
) -> None:
    model = tiny_model("seem_v1")
    prepared = model.prepare(model.encode(photo))
    found = {id(x) for x in tensors_in(prepared)}
    held = [*prepared.levels, *prepared.small, *prepared.keys, *prepared.values, prepared.mask_features.fine]
    assert {id(x) for x in held} <= found

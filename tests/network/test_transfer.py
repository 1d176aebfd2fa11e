"""What goes to a device and comes back; how it travels by pinned memory is tested in tests/gpu."""

from typing import Any

import numpy as np
import pytest
import torch

from seemkit.network import transfer
from seemkit.network.transfer import fetch, send

CPU = torch.device("cpu")


def test_what_is_there_already_is_given_back() -> None:
    x = torch.ones(3)
    assert send(x, CPU) is x
    assert send(x, CPU, pinned=True) is x


def test_arrays_come_back_in_order() -> None:
    tensors = [torch.arange(3), torch.ones(2, 2), torch.tensor([True])]
    for pinned in (False, True):
        for array, tensor in zip(fetch(tensors, pinned), tensors, strict=True):
            np.testing.assert_array_equal(array, tensor.numpy())
    assert fetch([]) == []


def test_the_host_does_not_wait_for_what_it_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Tensor:
        def __init__(self, where: str) -> None:
            self.device = torch.device(where)

        def pin_memory(self) -> "Tensor":
            asked.append("pin")
            return self

        def to(self, device: torch.device, non_blocking: bool) -> str:
            asked.append((str(device), non_blocking))
            return "there"

    cuda = torch.device("cuda")
    assert send(Tensor("cpu"), cuda) == "there"  # type: ignore[arg-type]
    assert send(Tensor("cpu"), cuda, pinned=True) == "there"  # type: ignore[arg-type]
    assert send(Tensor("cuda"), CPU) == "there"  # type: ignore[arg-type]
    assert asked == [("cuda", True), "pin", ("cuda", True), ("cpu", False)]
    assert transfer.__all__ == ["fetch", "send"]

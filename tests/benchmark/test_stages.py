"""Where the time of a module goes: parts are found through wrappers and lists, and the clock is taken off again."""

import time

import pytest
import torch
from torch import Tensor, nn

from seemkit.benchmark.stages import stage_seconds, stages_of


class Sleeper(nn.Module):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(self.seconds)
        return x


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = Sleeper(0.001)
        self.layers = nn.ModuleList([Sleeper(0.02), Sleeper(0.001)])
        self.unused = Sleeper(9)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for layer in self.layers:
            x = layer(x)
        return self.layers[0](x)


class Wrapper(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Net()

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


def test_parts_are_those_of_what_is_wrapped_lists_one_by_one() -> None:
    assert list(stages_of(Net())) == ["stem", "layers.0", "layers.1", "unused"]
    assert list(stages_of(Wrapper())) == ["inner.stem", "inner.layers.0", "inner.layers.1", "inner.unused"]
    assert list(stages_of(nn.Sequential(nn.ReLU()))) == ["0"]


def test_the_time_of_a_part_is_that_of_all_its_runs() -> None:
    net = Wrapper()
    found = stage_seconds(net, lambda: net(torch.zeros(1)), repeats=3)
    assert list(found) == ["inner.stem", "inner.layers.0", "inner.layers.1"]
    assert found["inner.layers.0"] >= 2 * 0.02  # it slept that long
    assert found["inner.layers.0"] > found["inner.stem"]


def test_nothing_stays_on_a_module_even_if_the_run_fails() -> None:
    net = Net()
    with pytest.raises(ZeroDivisionError):
        stage_seconds(net, lambda: 1 / 0, repeats=1)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.modules())

"""Switches that torch has for the whole process; they can be set and read without a GPU."""

from collections.abc import Iterator

import pytest
import torch

from seemkit.assembly import RuntimeSection
from seemkit.runtime.process import set_process

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32, torch.get_num_threads()
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before[:2]
    torch.set_num_threads(before[2])


def switches() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("tf32", [True, False])
def test_tf32_is_as_the_options_say_where_the_device_is_cuda(tf32: bool) -> None:
    set_process(RuntimeSection(tf32=tf32), CUDA)
    assert switches() == (tf32, tf32)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=not tf32):  # torch still reads its own flags
        pass


def test_a_model_elsewhere_leaves_it_as_it_was() -> None:
    before = switches()
    set_process(RuntimeSection(), CPU)
    assert switches() == before


def test_threads_are_set_if_they_are_given() -> None:
    before = torch.get_num_threads()
    set_process(RuntimeSection(), CPU)
    assert torch.get_num_threads() == before
    set_process(RuntimeSection(threads=before + 1), CPU)
    assert torch.get_num_threads() == before + 1

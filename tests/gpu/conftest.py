"""Models on a CUDA device, and the same on the CPU to hold them to. `pytest -m gpu` runs what is here."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

import seemkit
from seemkit import Model


@pytest.fixture
def on_gpu(assembly: Callable[..., dict[str, Any]]) -> Iterator[Callable[..., Model]]:
    """`on_gpu("nano", precision="bfloat16")`: the tiny model that `tiny_model` is, under runtime options."""

    def build(preset: str = "seem_v1", **options: Any) -> Model:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return seemkit.load(assembly(preset, runtime=options), weights=None, device="cuda")

    yield build
    torch.cuda.synchronize()
    torch.cuda.empty_cache()


@pytest.fixture
def waits_refused(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Calling it makes torch refuse whatever waits for the device, but for the transfer of results."""
    from seemkit.runtime import runtime

    fetch = runtime.fetch

    def allowed(*given: Any) -> Any:
        torch.cuda.set_sync_debug_mode("default")
        try:
            return fetch(*given)
        finally:
            torch.cuda.set_sync_debug_mode("error")

    monkeypatch.setattr(runtime, "fetch", allowed)
    yield lambda: torch.cuda.set_sync_debug_mode("error")
    torch.cuda.set_sync_debug_mode("default")

"""What many tests share: models of a few thousand weights, a small photo, and a registry that forgets."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray


def tiny_assembly(preset: str = "seem_v1", **slots: Mapping[str, Any]) -> dict[str, Any]:
    """A whole assembly as plain data, with small numbers everywhere; `slots` are put over it."""
    fpn = {"use": "fpn", "dim": 32, "encoder_layers": 1, "heads": 2, "ffn": 64, "groups": 8}
    return {
        "name": f"tiny-{preset.replace('_', '-')}",
        "backbone": {"use": "timm", "model": "test_resnet"},
        "pixel_decoder": {**fpn, "meaning": 12 if preset == "nano" else 0},
        "mask_decoder": {
            "use": "seem", "preset": preset, "layers": 3, "queries": 8, "memory_rows": 4, "heads": 2, "ffn": 64,
            "outline": 8 if preset == "nano" else 0,
        },
        "text_encoder": {"use": "unicl", "width": 32, "layers": 2, "heads": 2},
        "answer_policy": {"use": "fused"},
        "preprocess": {"short": 64, "long": 128},
        **slots,
    }  # fmt: skip


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Tiny tensors only lose time to threads, on a busy machine a lot of it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of tiny models run in one thread."""
    for item in items:
        names: list[str] = getattr(item, "fixturenames", [])
        if "new_model" in names or item.path.parent.name == "network":
            names.insert(0, "one_thread")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests that need a CUDA device say so where there is none."""
    if item.get_closest_marker("gpu") is not None:
        import torch

        if not torch.cuda.is_available():
            pytest.skip("there is no CUDA device here")


@pytest.fixture(scope="session")
def assembly() -> Callable[..., dict[str, Any]]:
    """`assembly("nano")`: plain data of a tiny assembly of a preset."""
    return tiny_assembly


@pytest.fixture(scope="session")
def new_model() -> Callable[..., Any]:
    """`new_model("nano", seed=1, backbone={...})`: a tiny model of one's own, with random weights by the seed."""

    def build(preset: str = "seem_v1", *, seed: int = 0, **slots: Any) -> Any:
        import torch

        import seemkit

        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return seemkit.load(tiny_assembly(preset, **slots), weights=None, device="cpu")

    return build


@pytest.fixture(scope="session")
def tiny_model(new_model: Callable[..., Any]) -> Callable[[str], Any]:
    """`tiny_model("seem_v0")`: the same tiny model for all tests; leave its weights alone."""
    return cache(lambda preset="seem_v1": new_model(preset))


def make_photo(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """A smooth random image (H, W, 3): noise of a few cells, blown up."""
    from PIL import Image

    cells = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture(scope="session")
def new_photo() -> Callable[..., NDArray[np.uint8]]:
    """`new_photo(48, 64, seed=3)`: a smooth random image."""
    return make_photo


@pytest.fixture(scope="session")
def photo() -> NDArray[np.uint8]:
    """A smooth random image of 72 x 96 pixels (height x width)."""
    pixels = make_photo(72, 96, 0)
    pixels.flags.writeable = False
    return pixels


@pytest.fixture
def plugins() -> Iterator[Any]:
    """The registry of the process; what a test registers in it is taken out again."""
    from seemkit.host import registry

    found = registry()

    def local() -> set[tuple[str, str, str]]:
        return {
            (c.kind, c.versioned, c.distribution)
            for c in found.components()
            if c.provided_by != "entry point"
        }

    before = local()
    yield found
    for kind, name, distribution in local() - before:
        found.unregister(kind, name, distribution=distribution)

"""Reference numbers of the original network: a reader, its inputs, its pseudo-random weights by our names.

`SEEMKIT_GOLDEN` names the folder that holds them; without it every test here is skipped.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from copy import copy
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import seemkit
from seemkit import Draws, Result
from seemkit.checkpoint.keys import guess_family, is_ignorable, to_ours
from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.network.sampler import PointBatch
from seemkit.pipeline.model import Model
from seemkit.prompting.prompt import Prompt
from seemkit.scene import Scene
from tests.parity.recorded import Golden
from tests.parity.table import note_turned, write_tables
from tests.parity.ties import settle_ties

LIMIT = 512  # points of one object and sign; above it the original draws
MEAN = torch.tensor((123.675, 116.280, 103.530))[:, None, None]
STD = torch.tensor((58.395, 57.120, 57.375))[:, None, None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--parity-table", metavar="FILE", help="write what was measured as Markdown tables")


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = session.config.getoption("--parity-table", default=None)
    if path:
        write_tables(Path(path))


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    """The folder of the reference numbers."""
    folder = os.environ.get("SEEMKIT_GOLDEN")
    if not folder:
        pytest.skip("SEEMKIT_GOLDEN does not name the folder of reference numbers")
    return Path(folder)


@pytest.fixture(scope="session")
def golden(golden_folder: Path) -> Callable[[str], Golden]:
    """`golden("focalt_v0_spatial")["point/prev_mask"]`."""
    return cache(lambda name: Golden(golden_folder, name))


@pytest.fixture(scope="session")
def golden_inputs(golden_folder: Path) -> Mapping[str, NDArray[Any]]:
    """Images (H, W, 3) uint8 and prompt masks (H, W) bool by name."""
    inputs: Mapping[str, NDArray[Any]] = np.load(golden_folder / "inputs.npz")
    return inputs


@pytest.fixture(scope="session")
def golden_image(golden_inputs: Mapping[str, NDArray[Any]]) -> Callable[[str], Tensor]:
    """Network input (1, 3, H, W) of a named image: normalised, then padded with zeros to multiples of 32."""

    def prepare(name: str) -> Tensor:
        image = torch.from_numpy(golden_inputs[name]).permute(2, 0, 1)
        image = (image - MEAN) / STD
        h, w = image.shape[-2:]
        return torch.nn.functional.pad(image, (0, -w % 32, 0, -h % 32))[None]

    return prepare


@pytest.fixture(scope="session")
def golden_keys(golden_folder: Path) -> Callable[[str], dict[str, tuple[int, ...]]]:
    """Shapes by name of a published file, without buffers: `golden_keys("seem_focalt_unicl_lang_v0")`."""
    spec = Path(os.environ.get("SEEMKIT_SPEC", golden_folder.parent / "spec"))

    def read(name: str) -> dict[str, tuple[int, ...]]:
        lines = (line.split("\t") for line in (spec / "keys" / f"{name}.txt").read_text().splitlines())
        return {key: read_shape(shape) for key, shape in lines if not is_ignorable(key)}

    return cache(read)


@pytest.fixture(scope="session")
def golden_fill(golden_folder: Path) -> Callable[..., Tensor]:
    """Pseudo-random values of a name and shape: `golden_fill("a.weight", (3, 5))`."""
    filler = load_module(golden_folder / "fill.py")
    return lambda name, shape: torch.from_numpy(filler.fill(name, shape))


@pytest.fixture(scope="session")
def golden_state_dict(
    golden_fill: Callable[..., Tensor], golden_keys: Callable[[str], dict[str, tuple[int, ...]]]
) -> Callable[..., dict[str, Tensor]]:
    """Pseudo-random weights of a published file under our names.

    `golden_state_dict("seem_focalt_unicl_lang_v0")` fills everything (164 M values, seconds);
    `part="text_encoder."` fills that part and cuts its prefix. v0 and v1 have the same names, hence weights.
    """

    def fill(name: str, part: str = "") -> dict[str, Tensor]:
        shapes = golden_keys(name)
        family = guess_family(shapes)
        renamed = {to_ours(key, family): (key, shape) for key, shape in shapes.items()}
        return {
            ours[len(part) :]: golden_fill(key, shape)
            for ours, (key, shape) in renamed.items()
            if ours.startswith(part)
        }

    return fill


@pytest.fixture(scope="session")
def golden_model(golden_state_dict: Callable[..., dict[str, Tensor]]) -> Callable[..., Model]:
    """`golden_model("seem-focalt-v1", {"queries": 3})`: a published assembly that keeps the size of images.

    All of them share the pseudo-random weights.
    """
    weights = cache(lambda: golden_state_dict("seem_focalt_unicl_lang_v0"))

    def make(assembly: str, legacy: Mapping[str, object] | None = None) -> Model:
        changes: dict[str, object] = {"preprocess.short": None, "preprocess.long": None}
        changes |= {f"mask_decoder.legacy.{name}": value for name, value in (legacy or {}).items()}
        with torch.device("meta"):
            model = seemkit.load(assembly, weights=None, device="meta", overrides=changes)
        model.network.load_state_dict(weights(), assign=True)
        model.network.requires_grad_(False)
        return model

    return make


@pytest.fixture(scope="session")
def golden_network(golden_model: Callable[..., Model]) -> Network:
    """The published Focal-T network with the pseudo-random weights, wired as v0."""
    return golden_model("seem-focalt-v0").network


@pytest.fixture(scope="session")
def golden_encoded(golden_model: Callable[..., Model], golden_inputs: Any) -> Callable[[str], Scene]:
    """A named image as the public API encodes it."""
    model = golden_model("seem-focalt-v1")
    return cache(lambda name: model.encode(golden_inputs[name]))


@pytest.fixture(scope="session")
def golden_scene(
    golden_network: Network, golden_image: Callable[[str], Tensor]
) -> Callable[[str], PreparedScene]:
    """What the network makes of a named image before it is asked anything."""

    @torch.inference_mode()
    def prepare(name: str) -> PreparedScene:
        pixels = golden_network.encode(golden_image(name))
        return golden_network.decoder.prepare(pixels.levels, golden_network.mask_features(pixels.fine))

    return cache(prepare)


@pytest.fixture(scope="session")
def settle() -> Callable[..., Any]:
    """`settle(scene, run, gap)` runs on a scene; bits that rounding decides may be taken as the record has them.

    `gap(result)` is 1 at what is tolerated.
    """

    def run_settled(scene: PreparedScene, run: Callable[..., Any], gap: Callable[[Any], float]) -> Any:
        result, turned = settle_ties(scene, run, gap)
        if turned:
            note_turned(turned)
        return result

    return run_settled


@pytest.fixture(scope="session")
def ask(golden_encoded: Callable[[str], Scene], settle: Callable[..., Any]) -> Callable[..., Result]:
    """`ask(model, prompts, draws, gap)`: through the public API, until the result is as recorded.

    Draws are replayed each time, None for a model that makes none; bits that rounding decides are turned.
    """

    def run(
        model: Model,
        prompts: Sequence[Prompt],
        draws: Sequence[Any] | None,
        gap: Callable[[Result], float],
        image: str = "img_a",
        **how: Any,
    ) -> Result:
        scene = golden_encoded(image)

        def once(watched: PreparedScene) -> Result:
            with nullcontext(copy(model)) if draws is None else model.replaying(Draws(draws)) as other:
                other._prepare = lambda asked: watched if asked is scene else model.prepare(asked)  # type: ignore
                return other.segment(scene, prompts, **how)

        found: Result = settle(model.prepare(scene), once, gap)
        return found

    return run


@pytest.fixture(scope="session")
def replay_points() -> Callable[..., list[PointBatch]]:
    """Points of N objects for the three levels and, last, for the anchor, which the original draws first.

    `replay_points(positive, negative, draws)` takes (N, H, W) bool pixels on the padded input.
    """

    def replay(
        positive: NDArray[np.bool_], negative: NDArray[np.bool_], draws: Iterable[NDArray[Any]]
    ) -> list[PointBatch]:
        record = iter(draws)
        anchor, *levels = [draw_points(positive, negative, record) for _ in range(4)]
        assert next(record, None) is None
        return [*levels, anchor]

    return replay


def draw_points(
    positive: NDArray[np.bool_], negative: NDArray[np.bool_], draws: Iterator[NDArray[Any]]
) -> PointBatch:
    n, height, width = positive.shape
    signs = [[draw_pixels(mask, draws) for mask in masks] for masks in (positive, negative)]
    length = max(len(p) + len(m) for p, m in zip(*signs, strict=True))
    xy = torch.zeros(n, length, 2)
    minus = torch.zeros(n, length, dtype=torch.bool)
    padding = torch.ones(n, length, dtype=torch.bool)
    for k, (p, m) in enumerate(zip(*signs, strict=True)):
        pixels = torch.from_numpy(np.concatenate((p, m))).float()  # (row, column)
        xy[k, : len(pixels)] = pixels.flip(1) / torch.tensor([width, height])
        minus[k, len(p) : len(pixels)] = True
        padding[k, : len(pixels)] = False
    return PointBatch(xy, minus, torch.zeros_like(minus), padding)


def draw_pixels(mask: NDArray[np.bool_], draws: Iterator[NDArray[Any]]) -> NDArray[np.int64]:
    pixels = np.argwhere(mask)
    return pixels[next(draws)[:LIMIT]] if len(pixels) > LIMIT else pixels


def read_shape(text: str) -> tuple[int, ...]:
    return () if text == "scalar" else tuple(int(n) for n in text.split(","))


def load_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module

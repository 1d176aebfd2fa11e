"""Reference numbers of the original network: a reader, its inputs, its pseudo-random weights by our names.

`SEEMKIT_GOLDEN` names the folder that holds them; without it every test here is skipped.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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
from seemkit.checkpoint.keys import guess_family, is_ignorable, to_ours
from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.network.sampler import PointBatch
from seemkit.pipeline.model import Model
from seemkit.scene import Scene

LIMIT = 512  # points of one object and sign; above it the original draws
MEAN = torch.tensor((123.675, 116.280, 103.530))[:, None, None]
STD = torch.tensor((58.395, 57.120, 57.375))[:, None, None]


@dataclass(frozen=True)
class Difference:
    """What separates a tensor from its reference, over the values that the reference keeps."""

    max_abs: float
    rms: float


MEASURED: dict[str, str] = {}
"""What was compared last in this run, as cells of a table."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--parity-table", metavar="FILE", help="write what was measured as a Markdown table")


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = session.config.getoption("--parity-table", default=None)
    if path and MEASURED:
        lines = [f"| {name} | {cells} |" for name, cells in sorted(MEASURED.items())]
        head = ["| array | largest difference | rms |", "|---|---|---|"]
        Path(path).write_text("\n".join([*head, *lines]) + "\n")


class Golden:
    """One case: `case[key]` is the decoded array, `case.meta[key]` what is known of it.

    Arrays are stored whole, as packed bits (bool), or as every n-th value; the last come back flat.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        described = json.loads((folder / f"golden_{name}.json").read_text())
        self.meta: dict[str, dict[str, Any]] = described["arrays"]
        self.notes: list[str] = described["notes"]
        self._stored = np.load(folder / f"golden_{name}.npz")

    def __contains__(self, key: str) -> bool:
        return key in self._stored.files

    def __getitem__(self, key: str) -> NDArray[Any]:
        stored, meta = self._stored[key], self.meta[key]
        if meta["encoding"].startswith("packbits"):
            return np.unpackbits(stored)[: int(np.prod(meta["shape"]))].astype(bool).reshape(meta["shape"])
        values: NDArray[Any] = stored
        return values if meta.get("stride", 1) > 1 else values.reshape(meta["shape"])

    def tensor(self, key: str) -> Tensor:
        """The array as a tensor."""
        return torch.from_numpy(np.asarray(self[key]))

    def draws(self, call: str) -> Iterator[NDArray[Any]]:
        """The random permutations that a recorded call drew, in their order."""
        kinds = self.meta[f"{call}/rng"]["draws"]
        return iter([self[f"{call}/rng{k:03d}_{kind}"] for k, kind in enumerate(kinds)])

    def compare(self, key: str, actual: Tensor) -> Difference:
        """Largest and root mean square difference of `actual`, which must have the recorded shape."""
        meta = self.meta[key]
        assert list(actual.shape) == meta["shape"], (
            f"{key}: shape {list(actual.shape)}, recorded {meta['shape']}"
        )
        values = actual.detach().double().cpu().numpy().ravel()[:: meta.get("stride", 1)]
        gap = values - self[key].astype(np.float64).ravel()
        found = Difference(float(np.abs(gap).max()), float(np.sqrt(np.mean(gap**2))))
        MEASURED[f"{self.name}/{key}"] = f"{found.max_abs:.1e} | {found.rms:.1e}"
        return found

    def disagreement(self, key: str, actual: Tensor) -> float:
        """Share of pixels of a binary mask that differ."""
        expected = self[key]
        assert list(actual.shape) == list(expected.shape)
        share = float(np.mean(actual.cpu().numpy() != expected))
        MEASURED[f"{self.name}/{key}"] = f"{share:.3%} of values differ | "
        return share


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
    ties = load_module(Path(__file__).with_name("ties.py"))

    def run_settled(scene: PreparedScene, run: Callable[..., Any], gap: Callable[[Any], float]) -> Any:
        result, turned = ties.settle_ties(scene, run, gap)
        if turned:
            test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0].rpartition("::")[2]
            MEASURED[f"bits turned in {test}"] = f"{turned} | "
        return result

    return run_settled


@pytest.fixture(scope="session")
def replay_points() -> Callable[..., list[PointBatch]]:
    """Points of N objects for the three levels and, last, for the anchor, which the original draws first.

    `replay_points(positive, negative, draws)` takes (N, H, W) bool pixels on the padded input.
    """

    def replay(
        positive: NDArray[np.bool_], negative: NDArray[np.bool_], draws: Iterator[NDArray[Any]]
    ) -> list[PointBatch]:
        anchor, *levels = [draw_points(positive, negative, draws) for _ in range(4)]
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

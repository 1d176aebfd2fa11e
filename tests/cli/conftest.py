"""A command line to call, a photo, the smallest model, and a plugin world of its own for each test."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

import seemkit_registry
from seemkit import host
from seemkit.cli.main import cli

TINY = Path(__file__).with_name("tiny.yaml")

GAZE = '''
"""A prompt that does not exist in the tree: where somebody looked."""
from typing import ClassVar, Literal, Self
import numpy as np
from seemkit import api


class Gaze(api.SpatialPrompt):
    """A spot that somebody looked at, with its radius."""

    type: Literal["gaze"] = "gaze"
    x: float
    y: float
    radius: float = 4.0
    draw: ClassVar[api.Draw] = "point"

    def region(self, size: api.Grid) -> api.Region:
        rows, columns = np.mgrid[: size.height, : size.width] + 0.5
        x, y = size.place([self.x, self.y])
        return api.Region(np.hypot(columns - x, rows - y) <= self.radius * size.scale[0], self.include)

    def check(self, image: tuple[int, int]) -> None:
        api.check_inside([(self.x, self.y)], image, "gaze")

    @classmethod
    def parse(cls, text: str) -> Self:
        x, y, radius = api.floats(text, (3,), flag="gaze", form="x,y,radius")
        return cls(x=x, y=y, radius=radius)

    @classmethod
    def example(cls) -> Self:
        return cls(x=20, y=15)
'''


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def run() -> Run:
    """Runs `seemkit ARGS` in this process."""

    def call(*args: object) -> Ended:
        outcome = CliRunner().invoke(cli, [str(arg) for arg in args], prog_name="seemkit")
        return Ended(outcome.exit_code, outcome.stdout, outcome.stderr)

    return call


@pytest.fixture
def tiny() -> list[str]:
    """The flags that choose the smallest model, with random weights."""
    return ["-m", str(TINY), "--weights", "none"]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of 64 x 48 pixels (width x height)."""
    path = tmp_path / "photo.png"
    image = Image.linear_gradient("L").resize((64, 48))
    Image.merge("RGB", (image, image.rotate(180), image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))).save(
        path
    )
    return path


@pytest.fixture
def gaze(tmp_path: Path) -> Path:
    """A one-file plugin with the prompt type `gaze`."""
    path = tmp_path / "gaze.py"
    path.write_text(GAZE)
    return path


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers or quarantines is forgotten again."""
    monkeypatch.delenv("SEEMKIT_STRICT", raising=False)
    monkeypatch.setattr(seemkit_registry, "_default", None)
    host.registry.cache_clear()
    yield
    host.registry.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Installs distributions with prompt plugins into a folder of their own, as pip would."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)

    def write(
        distribution: str,
        prompts: Mapping[str, str],
        modules: Mapping[str, str],
        requires: Sequence[str] = (),
    ) -> None:
        for name, source in modules.items():
            (folder / f"{name}.py").write_text(source)
        info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n{needs}")
        lines = [f"{name} = {value}" for name, value in prompts.items()]
        (info / "entry_points.txt").write_text("\n".join(["[seemkit.prompts]", *lines, ""]))

    yield write
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "") or "").startswith(str(tmp_path)):
            del sys.modules[name]

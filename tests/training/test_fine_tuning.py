"""Fine-tuning in one command beats the start by a margin, on discs such as docs/tutorials/fine-tuning.md draws."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import seemkit
from seemkit.cli.main import cli
from seemkit.data.hundredth import hundredth
from seemkit.prompts import Point

NANO = Path(seemkit.__file__).parent / "assemblies" / "nano.safetensors"
COUNT = 24
HELD = [number for number in range(COUNT) if hundredth(f"{number}.png") < 30]


def disc_of(number: int) -> tuple[int, int, int]:
    x, y, radius = np.random.default_rng(number).integers((25, 25, 14), (70, 70, 24))
    return int(x), int(y), int(radius)


@pytest.fixture
def discs(tmp_path: Path) -> Path:
    """Striped discs with a bright core on a chessboard, in COCO's format: the core alone is no object."""
    folder = tmp_path / "discs"
    (folder / "images").mkdir(parents=True)
    rows, columns = np.mgrid[:96, :96]
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    images, annotations = [], []
    for number in range(COUNT):
        x, y, radius = disc_of(number)
        disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
        core = (rows - y) ** 2 + (columns - x) ** 2 <= (radius / 2) ** 2
        bright = np.where(core, 1, np.where(disc, rows // 4 % 2, (rows // 4 + columns // 4) % 2))
        Image.fromarray((60 + 120 * bright).astype(np.uint8)).save(folder / "images" / f"{number}.png")
        outline = np.stack((x + radius * np.cos(angle), y + radius * np.sin(angle)), axis=1) + 0.5
        images.append({"id": number, "file_name": f"{number}.png", "height": 96, "width": 96})
        corners = [outline.ravel().tolist()]
        annotations.append({"id": number, "image_id": number, "category_id": 1, "segmentation": corners})
    data = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "striped disc"}]}
    (folder / "discs.json").write_text(json.dumps(data))
    return folder


def score(model: seemkit.Model, folder: Path) -> float:
    """Mean IoU of one click on the middle of each held-out disc, at the size of the pictures."""
    rows, columns = np.mgrid[:96, :96]
    found = []
    for number in HELD:
        x, y, radius = disc_of(number)
        disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
        image = np.asarray(Image.open(folder / "images" / f"{number}.png").convert("RGB"))
        mask = model.segment(image, Point(x=x + 0.5, y=y + 0.5)).masks[0]
        found.append((mask & disc).sum() / (mask | disc).sum())
    return float(np.mean(found))


def test_one_command_beats_the_start_by_a_margin(discs: Path, tmp_path: Path, one_thread: None) -> None:
    if not NANO.is_file():
        pytest.skip("the weights of nano are not here")
    out = tmp_path / "out"
    flags = [
        "-s", "data.size=96", "-s", "data.hold_out=0.3", "-s", "run.steps=15", "-s", "run.workers=0",
        "-s", "run.pictures=0", "-s", "optimiser.schedule.warmup=5", "-s", "objective.shares.reference=0",
        "-s", "objective.clicks.rounds=1", "-s", "run.device=cpu", "-s", "run.tensorboard=false",
    ]  # fmt: skip
    command = ["train", "--data", str(discs), "--from", "nano", "-o", str(out), "--json", *flags]
    ended = CliRunner().invoke(cli, command, prog_name="seemkit")
    assert ended.exit_code == 0, ended.stderr
    said = json.loads(ended.stdout)
    # 0.830 and 0.903 when this was written: of what is wrong, a third is mended at least
    assert 1 - said["after"]["IoU@1"] < 2 / 3 * (1 - said["before"]["IoU@1"])
    shrunk = {"preprocess.long": 96}
    before = score(seemkit.load("nano", device="cpu", overrides=shrunk), discs)
    after = score(seemkit.load(out / "assembly.yaml", device="cpu", overrides=shrunk), discs)
    assert 1 - after < 2 / 3 * (1 - before), f"{before:.3f} before, {after:.3f} after, through the public API"

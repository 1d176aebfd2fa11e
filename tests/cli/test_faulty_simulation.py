"""A prompt plugin whose `simulate` raises: training names it and ends, an evaluation goes on without the type."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pairs import write_pairs

Run = Callable[..., Any]
TINY = Path(__file__).with_name("tiny.yaml")
SOURCE = """
from typing import Literal

import numpy as np

from seemkit import api


class Wink(api.SpatialPrompt):
    type: Literal["wink"] = "wink"

    def region(self, size):
        return api.Region(np.ones((size.height, size.width), bool))

    @classmethod
    def simulate(cls, mask, rng):
        raise RuntimeError("my bug")
"""
SAID = (
    "simulate of the prompt type 'wink' of 'wink.py' raised RuntimeError: my bug; correct its definition, or"
)


@pytest.fixture
def wink(tmp_path: Path) -> Path:
    path = tmp_path / "wink.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four photos of a bright rectangle with their masks."""
    masks = np.zeros((4, 48, 64), np.uint8)
    for n, mask in enumerate(masks):
        mask[10:40, 10 + n : 50] = 255
    return write_pairs(tmp_path / "photos", ((np.repeat(x[..., None] // 2 + 60, 3, 2), x) for x in masks))


@pytest.mark.parametrize("workers", [0, 1])
def test_training_ends_with_one_sentence_that_names_the_file(
    run: Run, wink: Path, photos: Path, tmp_path: Path, workers: int
) -> None:
    settings = {
        "data.sources": f"[{{use: folder, path: {photos}}}]", "data.size": 64, "data.hold_out": 0, "run.steps": 2,
        "run.batch": 2, "run.workers": workers, "run.pictures": 0, "run.tensorboard": "false", "run.device": "cpu",
        "model.weights": "none", "objective.shares.prompt": 1,
    }  # fmt: skip
    words = [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
    words += ["-s", "objective.prompts.wink=1000"]  # so that it is drawn in the first steps
    ended = run("train", "--plugin", wink, "--from", TINY, "-o", tmp_path / "out", *words)
    assert ended.code == 2
    assert ended.err.splitlines()[-1] == (f"seemkit: {SAID} train without it: -s objective.prompts.wink=0")
    words[-1] = "objective.prompts.wink=0"
    assert run("train", "--plugin", wink, "--from", TINY, "-o", tmp_path / "other", *words).code == 0


def test_an_evaluation_leaves_the_type_out_and_says_so_again_when_it_goes_on(
    run: Run, wink: Path, photos: Path, tmp_path: Path
) -> None:
    words = ("eval", "folder", "--data", photos, "-o", tmp_path / "out")
    more = ("--plugin", wink, "-s", "measures.clicks={first: every, rounds: 1, shown: [1]}")
    for _ in range(2):
        done = run(*words, *more)
        assert done.code == 0, done.err
        report = json.loads((tmp_path / "out" / "report.json").read_text())
        said = f"left out in 4 of 4: {SAID} name the types to measure, without 'wink'"
        assert [(f["measure"], f["cause"]) for f in report["faults"]] == [("clicks", said), ("prompts", said)]
        names = {figure["name"]: figure["count"] for figure in report["figures"]}
        assert (names["mIoU@1 from box"], names["mIoU box"]) == (4, 4)
        assert not any("wink" in name for name in names)


def test_an_evaluation_may_stop_at_it(run: Run, wink: Path, photos: Path) -> None:
    words = ("eval", "folder", "--data", photos, "-m", TINY, "--weights", "none", "-s", "on_fault=stop")
    done = run(*words, "--plugin", wink)
    assert (done.code, done.err.splitlines()[-1][:25]) == (2, "seemkit: mine, '0': simul")


def test_a_measure_of_that_type_alone_has_a_fault_for_each_picture(
    run: Run, wink: Path, photos: Path, tmp_path: Path
) -> None:
    words = ("eval", "folder", "--data", photos, "-m", TINY, "--weights", "none", "-o", tmp_path / "out")
    done = run(*words, "--plugin", wink, "-s", "measures.clicks={first: [wink], rounds: 1}")
    assert done.code == 0, done.err
    faults = json.loads((tmp_path / "out" / "report.json").read_text())["faults"]
    found = [
        fault["key"] for fault in faults if fault["measure"] == "clicks" and fault["cause"].startswith(SAID)
    ]
    assert found == ["0", "1", "2", "3"]

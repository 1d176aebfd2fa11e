"""Several processes, and processes that are killed: real ones, forked from one that has imported everything.

The script that is run here trains by the same recipe in one process and in two, and kills a run twice. Half of the
pictures are marked completely, so that of the parts of a step, one picture each in two processes, some have terms of
everything mode and some have none.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from tests.pairs import write_pairs
from tests.training.conftest import WORDS, make_sample

STEPS = 4

SCRIPT = '''
import os, random, signal, socket, sys, time
from pathlib import Path

import torch

torch.set_num_threads(1)
from seemkit.training.recipe import load_recipe
from seemkit.training.train import train

out = Path(sys.argv[2])


def start(folder, rank=None, count=None, port=None, **run):
    """A process of its own that trains."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        if rank is not None:
            os.environ |= {
                "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count),
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
            }
        recipe = load_recipe(Path(sys.argv[1]), {f"run.{name}": value for name, value in run.items()})
        train(recipe, out / folder)
        code = 0
    except BaseException as error:
        print(type(error).__name__, error, file=sys.stderr)
    finally:
        os._exit(code)


def end(child):
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


assert end(start("one")) == 0
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
both = [start("two", rank, 2, port, accumulate=2) for rank in (0, 1)]
assert [end(child) for child in both] == [0, 0]
workers = int(sys.argv[4])
rng, log = random.Random(int(sys.argv[3])), out / "killed" / "log.jsonl"
for wanted in (1, 2):  # steps that are done before it is killed, at some moment after that
    child = start("killed", workers=workers)
    while not log.exists() or log.read_text().count(chr(10)) < wanted:
        time.sleep(0.005)
    time.sleep(rng.uniform(0, 0.4))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status))
assert end(start("killed", workers=workers)) == 0
'''


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """A folder `scenes` with six pictures of two rectangles, and what is at each of their pixels."""
    samples = [make_sample(100 + number) for number in range(6)]
    maps = np.zeros((6, 80, 100), np.uint8)
    for sample, classes in zip(samples, maps, strict=True):
        for each in sample.objects:
            assert each.name is not None
            classes[each.read_mask()] = 1 + WORDS.index(each.name)
    pictures = (np.asarray(sample.image) for sample in samples)
    return write_pairs(tmp_path / "scenes", zip(pictures, maps, strict=True))


@pytest.fixture
def recipe(tmp_path: Path, photos: Path, scenes: Path, tiny_yaml: Path) -> Path:
    """A recipe of a few steps of four pictures, on folders, with every loss that there is."""
    path = tmp_path / "recipe.yaml"
    data: dict[str, Any] = {
        "seemkit": 1,
        "model": {"assembly": "tiny.yaml", "weights": "none"},
        "data": {
            "sources": [
                {"use": "folder", "path": "photos", "category": "thing"},
                {"use": "folder", "path": "scenes", "masks": "classes", "names": ["ground", *WORDS]},
            ],
            "size": 64, "objects": 2, "augment": {"copy_paste": 0.3},
        },
        "objective": {"points": {"matching": 60, "loss": 40}, "labels": {}, "pointing": 1.0},
        "optimiser": {"rate": 0.001, "schedule": {"warmup": 1000}},
        "run": {
            "steps": STEPS, "batch": 4, "minutes": 0, "log": 1, "workers": 0, "pictures": 0, "tensorboard": False,
            "device": "cpu",
        },
    }  # fmt: skip
    path.write_text(yaml.safe_dump(data))
    return path


@pytest.fixture(
    params=[
        (0, 0),
        pytest.param((1, 0), marks=pytest.mark.slow),
        pytest.param((2, 2), marks=pytest.mark.slow),
    ],
    ids=["alone", "killed-elsewhere", "with-workers"],
)
def ran(recipe: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The folder with what the script left: the runs `one`, `two` (in two processes, in parts) and `killed`.

    A parameter is the seed of the moments that it is killed at, and how many workers make its views.
    """
    command = [sys.executable, "-c", SCRIPT, str(recipe), str(tmp_path), *map(str, request.param)]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # as torchrun sets it
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=alone)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["-9", "-9"], "it was killed twice"
    return tmp_path


def log_of(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_two_processes_and_killed_ones_learn_the_same_as_one(ran: Path) -> None:
    one, two, killed = (log_of(ran / name) for name in ("one", "two", "killed"))
    assert [line["step"] for line in one] == list(range(STEPS))
    assert all({"object_name", "object_bce", "pointing", "label"} <= set(line) for line in one)
    for a, b in zip(one, two, strict=True):
        assert b == pytest.approx(a, rel=1e-4), f"every term of step {a['step']}"
        assert b["loss"] == pytest.approx(a["loss"], rel=1e-5), f"step {a['step']}"
        assert b["gradient"] == pytest.approx(a["gradient"], rel=1e-4)
    assert killed == one, "the same losses after every kill, to the last digit"
    weights = [load_file(ran / name / "weights.safetensors") for name in ("one", "two", "killed")]
    assert all(torch.equal(weights[2][name], x) for name, x in weights[0].items())
    assert (weights[0]["decoder.level_embed"] - weights[1]["decoder.level_embed"]).abs().max() < 1e-4

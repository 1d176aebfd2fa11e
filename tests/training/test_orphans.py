"""Workers of a training that is killed end too, though what they make is larger than what a pipe holds."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are read from /proc")

SCRIPT = """
import sys, time
from pathlib import Path

from seemkit.training.engine import Run
from seemkit.training.recipe import load_recipe
from seemkit.training.train import train


def never_ending(self, *step):
    print("a step", flush=True)
    time.sleep(600)


Run._step = never_ending
train(load_recipe(Path(sys.argv[1])), Path(sys.argv[2]))
"""


def children_of(process: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()}


def runs(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return (
        status.rpartition(")")[2].split()[0] != "Z"
    )  # who has ended, and whom nobody has asked how, is a zombie


def test_workers_end_with_a_training_that_is_killed(tmp_path: Path, photos: Path, tiny_yaml: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        yaml.safe_dump(
            {
                "seemkit": 1,
                "model": {"assembly": "tiny.yaml", "weights": "none"},
                "data": {"sources": [{"use": "folder", "path": "photos"}], "size": 256},
                "run": {"batch": 8, "workers": 2, "pictures": 0, "tensorboard": False, "device": "cpu"},
            }
        )
    )
    training = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(recipe), str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    )
    workers: set[int] = set()
    try:
        assert training.stdout is not None
        assert training.stdout.readline() == "a step\n"
        workers = children_of(training.pid)
        assert len(workers) >= 2
        time.sleep(2)  # they have made all that they may, and wait to hand it over
        assert all(map(runs, workers))
        training.kill()
        training.wait()
        until = time.monotonic() + 15
        while any(map(runs, workers)) and time.monotonic() < until:
            time.sleep(0.1)
        assert not [worker for worker in workers if runs(worker)]
    finally:
        training.kill()
        for worker in filter(runs, workers):
            os.kill(worker, signal.SIGKILL)

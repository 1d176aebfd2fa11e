"""What a report says of the machine, and of the commit that was measured."""

import subprocess
from pathlib import Path

import torch

from seemkit.benchmark.machine import find_commit, load_average, look_at_machine


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_commit_is_that_of_the_checkout_and_says_whether_files_were_changed(tmp_path: Path) -> None:
    inside = tmp_path / "package"
    inside.mkdir()
    assert find_commit(inside) is None
    git(tmp_path, "init")
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "a")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert find_commit(inside) == commit
    (tmp_path / "new").write_text("an untracked file changes nothing")
    assert find_commit(inside) == commit
    (tmp_path / "file").write_text("b")
    assert find_commit(inside) == commit + "+"


def test_the_machine_is_described() -> None:
    machine = look_at_machine()
    assert machine.processor
    assert machine.cores >= 1
    assert machine.threads == torch.get_num_threads()
    assert machine.torch == torch.__version__
    assert machine.accelerator is None
    load = load_average()
    assert load is None or load >= 0

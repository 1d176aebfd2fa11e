"""Jobs in a module that another process can import."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

JOBS = '''
import os, time


def job(name):
    """What each name does is its name."""
    yield os.getpid()
    if name == "exit":
        os._exit(3)
    if name == "abort":
        os.abort()
    if name == "hang":
        time.sleep(60)
    if name == "memory":
        bytearray(2**32)
    if name == "raise":
        raise ValueError("this is not\\na job")
    yield name


def silent(name):
    if name != "nothing":
        os._exit(3)
    yield from ()


def dies_second(name, done=[]):
    """Dies in a process that did something before."""
    if done:
        os._exit(4)
    done.append(name)
    yield name
'''


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """`jobs("job")`: a job by its name."""
    folder = tmp_path / "jobs"
    folder.mkdir()
    name = f"jobs_of_{tmp_path.name}".replace("-", "_")
    (folder / f"{name}.py").write_text(JOBS, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)  # spawned processes get sys.path too
    module = import_module(name)
    return lambda job: getattr(module, job)

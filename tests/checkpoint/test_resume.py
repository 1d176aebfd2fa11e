"""A download that ended in the middle is gone on with by the next command, against a hub on loopback.

What has to be asked for follows from what a command left: a file of n bytes is gone on with by `bytes=n-`.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
from torch import Tensor

KEY = "someone/tiny/seem_tiny_v1.pt"
WEIGHTS = "weights/someone--tiny/main/seem_tiny_v1.safetensors"
CHUNK = 1 << 16
"""Bytes that are written at once; huggingface_hub's own 10 MB are more than the whole file."""
NEVER = [0] * 20
"""Where downloads break off that get nothing, more of them than there are attempts."""
COMMAND = """\
import sys
import huggingface_hub.constants as constants
constants.DOWNLOAD_CHUNK_SIZE = 1 << 16
from seemkit.cli.main import cli
cli(["pull", sys.argv[1]])
"""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", CHUNK)


@pytest.fixture
def content(theirs: dict[str, Tensor], save: Any) -> bytes:
    """The published file of the tiny SEEM."""
    return Path(save(theirs, "somewhere-else.pt")).read_bytes()


@pytest.fixture
def serving(hub: Any, content: bytes) -> Any:
    """The hub, with the file on it."""
    hub.files[KEY] = content
    return hub


@pytest.fixture
def parts(tmp_path: Path) -> Callable[[], list[Path]]:
    """The parts of files in the cache of huggingface_hub."""
    return lambda: sorted((tmp_path / "hub").rglob("*.incomplete"))


@pytest.fixture
def broken_off(serving: Any, content: bytes, tiny: Any, run: Any, parts: Any) -> Path:
    """What a command left that got half of the file and then nothing."""
    serving.breaks = [len(content) // 2, *NEVER]
    ended = run("pull", tiny())
    assert ended.code == 2, ended.out
    assert ended.err.count("\n") == 1
    serving.breaks = []
    serving.requests.clear()
    part: Path
    [part] = parts()
    assert 0 < part.stat().st_size <= len(content) // 2
    assert part.read_bytes() == content[: part.stat().st_size]
    return part


def cached(part: Path) -> Path:
    """Where huggingface_hub looks for the content that `part` is of."""
    return part.with_name(part.name.split(".")[-2])


def test_the_next_command_goes_on_where_the_last_one_ended(
    broken_off: Path, serving: Any, content: bytes, tiny: Any, run: Any, parts: Any, caches: Path
) -> None:
    size = broken_off.stat().st_size
    ended = run("pull", tiny())
    assert (ended.code, ended.err) == (0, "")
    assert serving.downloads() == [f"bytes={size}-"]
    assert cached(broken_off).read_bytes() == content
    assert (parts(), (caches / WEIGHTS).is_file()) == ([], True)


def test_a_forced_download_goes_on_too(serving: Any, content: bytes, tiny: Any, run: Any, parts: Any) -> None:
    assert run("pull", tiny()).code == 0
    serving.breaks = [len(content) // 2, *NEVER]
    assert run("pull", tiny(), "--force").code == 2
    [part] = parts()
    serving.breaks, size = [], part.stat().st_size
    serving.requests.clear()
    assert run("pull", tiny(), "--force").code == 0
    assert serving.downloads() == [f"bytes={size}-"]


def test_what_a_killed_command_got_is_gone_on_with(
    serving: Any, content: bytes, tiny: Any, run: Any, parts: Any, tmp_path: Path
) -> None:
    serving.breaks, serving.stands = [len(content) // 2], threading.Event()
    asked = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(tiny())],
        env={**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "0"},
    )
    try:
        end = time.monotonic() + 60
        while not (parts() and parts()[0].stat().st_size > len(content) // 2 - CHUNK):
            assert asked.poll() is None, "it ended by itself"
            assert time.monotonic() < end
            threading.Event().wait(0.02)
    finally:
        asked.kill()
        asked.wait()
        serving.stands.set()
    assert asked.returncode != 0
    [part] = parts()
    size = part.stat().st_size
    serving.requests.clear()
    assert run("pull", tiny()).code == 0
    assert serving.downloads() == [f"bytes={size}-"]
    assert cached(part).read_bytes() == content


def test_a_server_that_knows_no_ranges_gives_the_file_anew(
    broken_off: Path, serving: Any, content: bytes, tiny: Any, run: Any
) -> None:
    serving.ignores_range = True
    assert run("pull", tiny()).code == 0
    assert cached(broken_off).read_bytes() == content


def test_a_part_of_another_content_is_dropped(
    broken_off: Path, serving: Any, theirs: dict[str, Tensor], save: Any, tiny: Any, run: Any, parts: Any
) -> None:
    theirs["sem_seg_head.predictor.class_embed"] += 1
    serving.files[KEY] = save(theirs).read_bytes()
    assert run("pull", tiny()).code == 0
    assert serving.downloads() == [None]
    assert parts() == []
    assert not cached(broken_off).exists()


def test_the_part_of_another_file_stays(
    broken_off: Path, serving: Any, content: bytes, tiny: Any, run: Any, parts: Any
) -> None:
    serving.files["someone/tiny/seem_tiny_v0.pt"] = content[::-1]
    run("pull", tiny("v0"))
    assert parts() == [broken_off]


def test_a_part_that_is_not_of_the_file_is_refused_and_removed(
    broken_off: Path, serving: Any, content: bytes, tiny: Any, run: Any, parts: Any, caches: Path
) -> None:
    broken_off.write_bytes(b"x" * broken_off.stat().st_size)
    ended = run("pull", tiny())
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "is damaged: its SHA-256 is not the one that the server names; it was removed" in ended.err
    assert (parts(), cached(broken_off).exists(), (caches / WEIGHTS).exists()) == ([], False, False)
    serving.requests.clear()
    assert run("pull", tiny()).code == 0
    assert serving.downloads() == [None]
    assert cached(broken_off).read_bytes() == content


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_part_that_is_as_long_as_the_file_or_longer(
    beyond: int, broken_off: Path, serving: Any, content: bytes, tiny: Any, run: Any
) -> None:
    # killed between the last byte and the move; or written to by two, where the file system knows no locks
    broken_off.write_bytes(content + b"x" * beyond)
    assert run("pull", tiny()).code == 0
    assert serving.downloads() == [None] * beyond
    assert cached(broken_off).read_bytes() == content


def test_offline_a_part_is_no_file(broken_off: Path, serving: Any, tiny: Any, run: Any) -> None:
    ended = run("pull", tiny(), "--offline")
    assert "it is not here yet, and offline nothing is downloaded" in ended.err
    assert serving.requests == []
    assert broken_off.exists()

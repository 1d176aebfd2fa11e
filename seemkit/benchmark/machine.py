"""What a measurement ran on: processor, versions, threads, load and commit; a number without them says little."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field

import seemkit

__all__ = ["Machine", "load_average", "look_at_machine"]

GIT_SECONDS = 10


class Machine(BaseModel):
    """The machine and the software of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    processor: str = Field(description="as the operating system calls it")
    cores: int = Field(description="that this process may use")
    memory: int | None = Field(None, description="bytes of the machine")
    accelerator: str | None = Field(None, description="name of the CUDA device, if that is where it ran")
    system: str
    python: str
    torch: str
    threads: int = Field(description="of torch on the CPU")
    seemkit: str
    commit: str | None = Field(None, description="of the checkout; '+' follows if files were changed")
    date: str = Field(description="of the start, in UTC")


def look_at_machine(device: torch.device | str = "cpu") -> Machine:
    """The machine as it is now; `device` is where the model is."""
    where = torch.device(device)
    return Machine(
        processor=_processor(),
        cores=_cores(),
        memory=_memory(),
        accelerator=torch.cuda.get_device_name(where) if where.type == "cuda" else None,
        system=platform.system(),
        python=platform.python_version(),
        torch=torch.__version__,
        threads=torch.get_num_threads(),
        seemkit=seemkit.__version__,
        commit=find_commit(Path(seemkit.__file__).parent),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def load_average() -> float | None:
    """Processes that wanted to run, averaged over the last minute; None where nobody counts them."""
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return None


def find_commit(folder: Path) -> str | None:
    """The commit of the checkout that a folder lies in, with '+' if tracked files were changed; None without one."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return commit + ("+" if changed else "")


def _git(folder: Path, *words: str) -> str | None:
    if not any((parent / ".git").exists() for parent in folder.resolve().parents):
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None

"""What was run: command, model, code and machine, to stand beside every figure."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import seemkit

if TYPE_CHECKING:
    from seemkit.pipeline.model import Model

__all__ = ["code_version", "describe_machine", "describe_run"]


def describe_run(model: Model, command: Sequence[str]) -> dict[str, str]:
    """What stands beside every figure of one run.

    Args:
        model: what is evaluated.
        command: the words of the command line, or what stands for them in Python.
    """
    name = model.assembly.name if model.assembly is not None else "custom"
    return {
        "command": shlex.join(command),
        "assembly": name,
        "weights": model.fingerprint,
        "code": code_version(),
        "machine": describe_machine(model),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def code_version() -> str:
    """The version of seemkit; in a checkout with its commit, and whether files differ from it."""
    root = Path(seemkit.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return seemkit.__version__
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    if commit is None:
        return seemkit.__version__
    changed = " with changes" if _git(root, "status", "--porcelain", "--untracked-files=no") else ""
    return f"{seemkit.__version__} at {commit}{changed}"


def describe_machine(model: Model) -> str:
    """Device, processor, threads and the versions that numbers may depend on."""
    import torch

    device = torch.cuda.get_device_name(model.device) if model.device.type == "cuda" else model.device.type
    threads = torch.get_num_threads()
    return (
        f"{device}; {_processor()}, {os.cpu_count()} cores, {threads} thread{'s' * (threads != 1)}; "
        f"torch {torch.__version__}, Python {platform.python_version()}, {platform.system()}"
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()

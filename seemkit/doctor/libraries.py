"""Checks: versions, libraries that import, torch and torchvision that belong together, CUDA."""

import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import importlib_metadata

from seemkit.doctor.apart import Outcome
from seemkit.doctor.finding import Finding

__all__ = ["LIBRARIES", "check_cuda", "check_libraries", "check_versions"]

DISTRIBUTIONS = (
    "seemkit", "torch", "torchvision", "timm", "open_clip_torch", "numpy", "pydantic", "pluggy", "click",
    "pillow", "safetensors", "tokenizers", "scipy", "scikit-image", "huggingface_hub",
)  # fmt: skip
LIBRARIES = ("torch", "torchvision", "timm", "open_clip")
"""What is imported to see whether it can be."""
LOST_OPERATORS = ("torchvision::", "undefined symbol", "torchvision.ops")
"""What errors say when torchvision was compiled for another torch."""
NVIDIA = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidia0"))


def check_versions() -> Iterator[Finding]:
    """What is installed, from metadata."""
    yield Finding("versions", "python", "fine", f"{platform.python_version()} on {platform.platform()}")
    yield Finding("versions", "interpreter", "fine", sys.executable)
    for name in DISTRIBUTIONS:
        version = _version(name)
        yield Finding("versions", name, "fine" if version else "note", version or "not installed")


def check_libraries(outcomes: Mapping[str, Outcome]) -> Iterator[Finding]:
    """Whether the libraries import; what keeps torchvision from it, and the command that mends it."""
    torch_fails = outcomes["library:torch"].state != "done"
    known: set[str] = set()
    for name in LIBRARIES:
        outcome = outcomes[f"library:{name}"]
        said = told(outcome)
        if outcome.state == "done" or said in known:  # what a library raises, those that import it raise too
            continue
        known.add(said)
        if name == "torchvision" and not torch_fails and _version("torchvision") is None:
            yield Finding("libraries", name, "wrong", "it is not installed", _pair())
        elif name != "torch" and not torch_fails and any(word in said for word in LOST_OPERATORS):
            yield Finding(
                "libraries",
                name,
                "wrong",
                f"torchvision {_version('torchvision')} was not built for torch {_version('torch')}, so its "
                f"operators are missing ({said})",
                _pair(),
            )
        else:
            yield Finding(
                "libraries",
                name,
                "wrong",
                f"its import fails: {said}",
                f"pip install --force-reinstall {name}",
            )
    yield from _check_pair()


def check_cuda(outcome: Outcome) -> Iterator[Finding]:
    """What torch was built for against the driver and the devices that are there."""
    if outcome.state != "done" or not isinstance(outcome.value, dict):
        yield Finding("cuda", "torch", "wrong", f"CUDA cannot be asked: {told(outcome)}", "use --device cpu")
        return
    found = outcome.value
    build, devices, warnings = found["build"], found["devices"], found["warnings"]
    if found["available"] and isinstance(devices, list):
        said = f"built for CUDA {build}, the driver takes up to {found['driver']}; {', '.join(map(str, devices))}"
        yield Finding("cuda", "torch", "fine", said)
    elif any(path.exists() for path in NVIDIA):
        why = "; ".join(map(str, warnings)) if isinstance(warnings, list) and warnings else ""
        said = f"built for CUDA {build}" if build else "built without CUDA"
        yield Finding(
            "cuda",
            "torch",
            "wrong" if build else "note",
            f"{said}, so the NVIDIA device of this machine cannot be used{f' ({why})' if why else ''}",
            "update the NVIDIA driver, or install a build of torch for the driver that is there"
            if build
            else "install a build of torch for CUDA to use it",
        )
    else:
        said = f"built for CUDA {build}" if build else "built without CUDA"
        yield Finding("cuda", "torch", "fine", f"{said}; no NVIDIA device is there, so the CPU is used")


def told(outcome: Outcome) -> str:
    """How a step failed, in words."""
    return f"it {outcome.value}" if outcome.state in ("hung", "died") else str(outcome.value)


def _check_pair() -> Iterator[Finding]:
    """Whether the torch that torchvision asks for is the one that is installed, from metadata."""
    from packaging.requirements import Requirement

    torch = _version("torch")
    try:
        asked = importlib_metadata.requires("torchvision") or []
    except importlib_metadata.PackageNotFoundError:
        return
    for text in asked:
        requirement = Requirement(text)
        if (
            requirement.name == "torch"
            and torch
            and not requirement.specifier.contains(torch, prereleases=True)
        ):
            said = f"torchvision {_version('torchvision')} asks for torch{requirement.specifier}, not torch {torch}"
            yield Finding("libraries", "torchvision", "wrong", said, _pair())


def _pair() -> str:
    torch = (_version("torch") or "").partition("+")[0]
    return f'pip install --force-reinstall "torch=={torch}" torchvision'


def _version(name: str) -> str | None:
    try:
        return str(importlib_metadata.version(name))
    except importlib_metadata.PackageNotFoundError:
        return None

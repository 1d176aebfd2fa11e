"""What runs in the other process: each step is one question whose answer is plain data."""

import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence

from pydantic import JsonValue

__all__ = ["STEPS", "main"]


def main(steps: Sequence[str]) -> None:
    """Answer each step with a line on standard output, where nothing else goes; for a process of its own."""
    from seemkit.doctor.apart import MARK
    from seemkit.host import registry

    registry().components()

    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what plugins and libraries print does not mix with the answers
    out.write(f"{MARK}{json.dumps('ready')}\n")
    out.flush()
    for step in steps:
        kind, _, subject = step.partition(":")
        try:
            state, value = "done", STEPS[kind](subject)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            state, value = "raised", _say(error)
        out.write(f"{MARK}{json.dumps([state, value])}\n")
        out.flush()


def _say(error: BaseException) -> str:
    """What an error says; of ours the sentence alone."""
    from seemkit.errors import SeemkitError
    from seemkit_registry import RegistryError
    from seemkit_registry.fault import describe_exception, one_line

    ours = isinstance(error, SeemkitError | RegistryError)
    return one_line(str(error), 2000) if ours else describe_exception(error)[0]


def ask_library(name: str) -> JsonValue:
    """The version of a library that is imported; of torchvision, whether its operators are there."""
    module = importlib.import_module(name)
    if name == "torchvision":
        import torch

        ops = importlib.import_module("torchvision.ops")
        ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    return str(getattr(module, "__version__", ""))


def ask_cuda(_: str) -> JsonValue:
    """What torch was built for, and what of it is there."""
    import torch

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    devices = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if available else []
    if available:
        torch.ones(1, device="cuda").sum().item()
    ask_driver = getattr(torch._C, "_cuda_getDriverVersion", None)
    driver = int(ask_driver()) if available and ask_driver is not None else 0
    said: list[JsonValue] = [str(each.message).split("\n", 1)[0] for each in caught]
    return {
        "build": torch.version.cuda,
        "available": available,
        "devices": list[JsonValue](devices),
        "driver": f"{driver // 1000}.{driver % 1000 // 10}" if driver else None,
        "warnings": said,
    }


def ask_plugin(distribution: str) -> JsonValue:
    """The faults of the components of one distribution, all imported; says meanwhile which one it is at."""
    from seemkit.doctor.apart import AT
    from seemkit.host import registry
    from seemkit_registry import PluginQuarantined

    found = registry()
    for component in found.components():
        if component.distribution == distribution:
            sys.stderr.write(f"{AT}{component.kind} {component.versioned}\n")
            sys.stderr.flush()
            try:
                found.load(component)
            except PluginQuarantined:
                continue  # its fault is kept
    faults = [fault for fault in found.faults() if fault.plugin == distribution]
    return [[f"{fault.kind} {fault.name}".strip(), fault.cause, fault.remedy] for fault in faults]


def ask_assembly(name: str) -> JsonValue:
    """Whether the components of an assembly are right and fit each other; raises what is wrong."""
    from seemkit.assembly import load_assembly
    from seemkit.pipeline.build import check_shapes

    check_shapes(load_assembly(name))
    return None


def ask_size(folder: str) -> JsonValue:
    """Bytes and files below a folder; links are not followed."""
    size = count = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
            count += 1
    return [size, count]


STEPS: dict[str, Callable[[str], JsonValue]] = {
    "library": ask_library,
    "cuda": ask_cuda,
    "plugin": ask_plugin,
    "assembly": ask_assembly,
    "size": ask_size,
}
"""By the word before the colon of a step; what follows is the subject."""

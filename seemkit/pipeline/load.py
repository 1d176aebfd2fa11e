"""`seemkit.load`: an assembly by name, file or value becomes a model with weights on a device."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from seemkit.assembly import Assembly, load_assembly
from seemkit.assembly.published import name_for_commands
from seemkit.assembly.sections import VocabularySection
from seemkit.errors import SeemkitError, WeightsError
from seemkit.host import registry as host_registry
from seemkit.pipeline.build import build_network, build_policy
from seemkit.pipeline.hooks import gather_hooks

if TYPE_CHECKING:
    from seemkit.pipeline.model import Model
    from seemkit_registry import Registry

__all__ = ["default_weights", "load"]


def load(
    assembly: str | os.PathLike[str] | Assembly | Mapping[str, object] = "nano",
    *,
    device: str = "auto",
    weights: str | os.PathLike[str] | Literal["default"] | None = "default",
    overrides: Mapping[str, object] | None = None,
    allow_untrained: bool = False,
    registry: Registry | None = None,
) -> Model:
    """Load a model.

    Args:
        assembly: the name of a shipped assembly, the path of a YAML file, plain data or an :class:`Assembly`.
        device: "auto" takes CUDA where there is some; else as torch names devices.
        weights: "default" are those that the assembly names; a path; None leaves them random.
        overrides: options by dotted path, such as ``{"runtime.precision": "bfloat16"}``.
        allow_untrained: use prompts and backbones that the weights file has nothing for.
        registry: of components; by default that of the process.

    Raises:
        seemkit_registry.RegistryError: an unknown name or a wrong option, with the nearest right one.
        SeemkitError: components that do not fit each other, or a runtime option that the device cannot do.
        WeightsError: weights that are not there or do not fit.
    """
    import torch

    from seemkit.pipeline.everything import Thresholds
    from seemkit.pipeline.model import Model
    from seemkit.runtime.check import check_runtime
    from seemkit.runtime.process import set_process
    from seemkit.runtime.runtime import Runtime
    from seemkit.weights import load_weights, variant_of

    registry = registry or host_registry()
    found = load_assembly(assembly, overrides, registry)  # type: ignore[arg-type]
    hooks = gather_hooks(found, registry)
    if hooks:
        found = hooks.configure(found)
    place = torch.device(_device(device if device != "auto" else found.runtime.device))
    check_runtime(found.runtime, place)
    path = default_weights(found) if weights == "default" else weights
    network, preprocess, parts = build_network(found, registry)
    if path is not None:
        recorded = found.weights.sha256 if weights == "default" and found.weights is not None else None
        variant = variant_of(found)
        load_weights(network, path, sha256=recorded, variant=variant, allow_untrained=allow_untrained)
    set_process(found.runtime, place)
    named = found.vocabulary
    network.requires_grad_(False)
    network.to(place)
    return Model(
        network,
        preprocess,
        policy=build_policy(found, registry),
        assembly=found,
        vocabulary=named.value() if isinstance(named, VocabularySection) else named,
        thresholds=Thresholds(**found.thresholds.model_dump()),
        parts=parts.names,
        hooks=hooks if hooks else None,
        allow_untrained=allow_untrained,
        runtime=Runtime(found.runtime),
    )


def default_weights(
    assembly: Assembly, otherwise: str = "weights=PATH, or weights=None for random ones"
) -> Path:
    """Where the weights of an assembly are; refuses one that has none, or none here yet, and says what else to give."""
    path = assembly.weights_path()
    if path is None or assembly.weights is None:
        raise WeightsError(
            f"assembly {assembly.name!r} names no weights; give {otherwise}",
            path="weights",
        )
    if assembly.weights.file is None and not path.is_file():
        raise WeightsError(
            f"the weights of assembly {assembly.name!r} are not here yet; get them with 'seemkit pull "
            f"{name_for_commands(assembly)}', or give {otherwise}",
            path="weights",
        )
    return path


def _device(name: str) -> str:
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        message = f"device {name!r} is not there on this machine; take 'cpu' or 'auto'"
        raise SeemkitError(message, path="device") from error
    return name

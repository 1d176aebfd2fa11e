"""What a run starts from: the network of a recipe's assembly, with the weights that the recipe names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from pydantic import JsonValue
from torch import Tensor

from seemkit.assembly import Assembly, load_assembly
from seemkit.errors import SeemkitError, WeightsError
from seemkit.host import registry as host_registry
from seemkit.network.network import Network
from seemkit.pipeline.build import build_network
from seemkit.pipeline.load import default_weights
from seemkit.pipeline.plan import FETCHES
from seemkit.training.packaged import packaged_weights
from seemkit.weights import load_weights, variant_of
from seemkit.weights_fit import BRIDGES

if TYPE_CHECKING:
    from seemkit.imaging.preprocess import Preprocess
    from seemkit.prompting.prompt import Prompt
    from seemkit.training.recipe import Recipe
    from seemkit_registry import Registry

__all__ = ["ADAPT", "WEIGHTS", "Start", "build_start", "rates_of", "weights_file"]

WEIGHTS = "weights.safetensors"
"""What the weights are called in the folder of a run."""

FROZEN: Mapping[str, float] = {"image_encoder": 0.0, "text_encoder": 0.0, "text_encoder.logit_scale": 1.0}
"""Rates that hold unless a recipe says otherwise: as published, encoders keep what they know."""
ADAPT: Mapping[str, float] = {"all": 0.0, "text_encoder.logit_scale": 0.0, **dict.fromkeys(BRIDGES, 1.0)}
"""Rates that move nothing but what brings a backbone's maps to the decoder's width."""


@dataclass(frozen=True, eq=False)
class Start:
    """A network that is about to be trained.

    Attributes:
        assembly: of it, overrides included.
        network: the network, on the CPU.
        preprocess: how pictures become its input.
        parts: name in ``network.prompts`` of the learned part of each prompt type that has one.
        license: terms of the weights that it starts from; empty if they are random.
        swapped: whether those weights are of another backbone.
        brought: whether the image encoder has weights of its own, from `model.encoder` or fetched by the backbone.
    """

    assembly: Assembly
    network: Network
    preprocess: Preprocess
    parts: Mapping[type[Prompt], str]
    license: str
    swapped: bool = False
    brought: bool = False


def build_start(recipe: Recipe, registry: Registry | None = None) -> Start:
    """Build the network of a recipe and give it the weights to start from.

    What the weights file has nothing for, such as another backbone than it was trained with, keeps the weights that it
    has, and is entered in ``network.untrained``, but for an image encoder that `model.encoder` gives weights.

    Raises:
        RegistryError: the assembly is wrong.
        SeemkitError: the canvas does not fit the network.
        WeightsError: there are no such weights, or they do not fit.
    """
    registry = registry or host_registry()
    section = recipe.model
    assembly = load_assembly(_place(recipe, section.assembly), flatten(section.overrides), registry)
    path = _weights(recipe, assembly)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.run.seed)
        network, preprocess, parts = build_network(assembly, registry)
    _check_canvas(recipe.data.size, preprocess)
    if section.encoder is not None:
        _load_encoder(network, recipe, assembly)
    brought = section.encoder is not None or bool(getattr(assembly.backbone.settings, FETCHES, None))
    swapped = False
    license_ = ""
    if path is not None:
        own = section.weights == "default" and assembly.weights is not None
        sha256 = assembly.weights.sha256 if own and assembly.weights is not None else None
        about = load_weights(network, path, sha256=sha256, variant=variant_of(assembly), allow_untrained=True)
        swapped = any(part.startswith(("image_encoder", *BRIDGES)) for part in network.untrained)
        if brought:
            network.untrained -= {"image_encoder"}
        recorded = about.get("license")
        license_ = recorded if isinstance(recorded, str) else "unknown"
        if own and assembly.weights is not None and assembly.weights.license is not None:
            license_ = assembly.weights.license
    elif section.tables != 1.0:
        tables = (*network.decoder.queries["object"].parameters(), network.decoder.level_embed)
        with torch.no_grad():
            for table in tables:
                table.mul_(section.tables)
    return Start(assembly, network, preprocess, parts.names, license_, swapped, brought)


def rates_of(network: Network, rates: Mapping[str, float]) -> dict[str, float]:
    """The rate of every parameter by name: that of its longest beginning in `rates` and in `FROZEN`; else 1.

    Raises:
        SeemkitError: no parameter begins as `rates` says, unless `ADAPT` does, as not every network has each bridge; or
            nothing is trained.
    """
    names = [name for name, _ in network.named_parameters()]
    for beginning in rates:
        if beginning not in ADAPT and not any(_begins(name, beginning) for name in names):
            tops = ", ".join(sorted({name.partition(".")[0] for name in names}))
            raise SeemkitError(
                f"optimiser.rates has {beginning!r}, but no parameter begins so; they begin with {tops}",
                path=f"optimiser.rates.{beginning}",
            )
    known = {**FROZEN, **rates}
    found = {}
    for name in names:
        fitting = [beginning for beginning in known if beginning != "all" and _begins(name, beginning)]
        found[name] = known[max(fitting, key=len)] if fitting else known.get("all", 1.0)
    if not any(found.values()):
        raise SeemkitError(
            "optimiser.rates freezes every parameter, so that nothing is trained", path="optimiser.rates"
        )
    return found


def flatten(overrides: Mapping[str, JsonValue], path: str = "") -> dict[str, JsonValue]:
    """Overrides of an assembly by dotted path, which may also be written one below the other."""
    flat: dict[str, JsonValue] = {}
    for key, value in overrides.items():
        here = f"{path}.{key}" if path else key
        flat |= flatten(value, here) if isinstance(value, dict) and value else {here: value}
    return flat


def _begins(name: str, beginning: str) -> bool:
    end = name[len(beginning) : len(beginning) + 1]
    return name.startswith(beginning) and (not beginning or beginning.endswith(".") or end in ("", "."))


def _place(recipe: Recipe, assembly: str) -> str | Path:
    is_file = assembly.endswith((".yaml", ".yml"))
    return recipe.beside(assembly) if is_file else assembly


def _check_canvas(size: int, preprocess: Preprocess) -> None:
    if preprocess.fixed is not None and preprocess.fixed != (size, size):
        h, w = preprocess.fixed
        raise SeemkitError(
            f"data.size is {size}, but the backbone takes only {h} x {w} (height x width)", path="data.size"
        )
    if size % preprocess.divisor:
        near = max(round(size / preprocess.divisor), 1) * preprocess.divisor
        raise SeemkitError(
            f"data.size is {size}, but the backbone needs a multiple of {preprocess.divisor}, such as {near}",
            path="data.size",
            suggestion=str(near),
        )


def _weights(recipe: Recipe, assembly: Assembly) -> Path | None:
    """The weights file to start from; None for random weights."""
    given = recipe.model.weights
    if given == "none":
        return None
    if given == "default":
        return default_weights(assembly, "a file in model.weights, or 'none' there for random ones")
    return weights_file(recipe.beside(given))


def weights_file(path: Path) -> Path:
    """The weights file that a path names: the file itself, or that of the run whose folder it is."""
    return path / WEIGHTS if path.is_dir() else path


def _load_encoder(network: Network, recipe: Recipe, assembly: Assembly) -> None:
    """Give the image encoder weights by timm's own names."""
    given = recipe.model.encoder
    assert given is not None
    model = str(getattr(assembly.backbone.settings, "model", assembly.backbone.use))
    stored = packaged_weights(model) if given == "packaged" else _read(recipe.beside(given))
    own = network.image_encoder.state_dict()
    named = {
        name: stored[name.removeprefix("trunk.")] for name in own if name.removeprefix("trunk.") in stored
    }
    lacking = [name for name in own if name not in named and not name.endswith("num_batches_tracked")]
    wrong = [name for name, x in named.items() if x.shape != own[name].shape]
    if lacking or wrong:
        first = (lacking or wrong)[0]
        raise WeightsError(
            f"model.encoder {given!r} does not fit the backbone {model!r}: {'it lacks' if lacking else 'misshapen is'} "
            f"{first}",
            path="model.encoder",
        )
    network.image_encoder.load_state_dict(named, strict=False)


def _read(path: Path) -> Mapping[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            tensors: dict[str, Tensor] = load_file(path)
            return tensors
        stored = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, SafetensorError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise WeightsError(
            f"{str(path)!r} cannot be read as weights: {error}", path="model.encoder"
        ) from error
    if not isinstance(stored, dict):
        raise WeightsError(
            f"{str(path)!r} holds a {type(stored).__name__}, expected tensors by name", path="model.encoder"
        )
    return stored

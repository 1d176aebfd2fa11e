"""Which weights an assembly names, on whose terms, and what of the network they leave untrained: by headers alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seemkit.assembly.published import name_for_commands
from seemkit.errors import WeightsError
from seemkit.weights import check_variant, variant_of
from seemkit.weights_fit import (
    compare,
    of_other_kinds,
    read_header,
    read_types,
    refuse_other_kinds,
    shapes_of,
    types_of,
)

if TYPE_CHECKING:
    from seemkit.assembly import Assembly
    from seemkit.network.network import Network

__all__ = ["PlannedWeights", "plan_weights"]


@dataclass(frozen=True)
class PlannedWeights:
    """The weights of a plan.

    Attributes:
        file: where the file is or should be; None if the assembly names none, so that they are random.
        size: of the file in bytes; None if it is not there.
        license: terms, as the assembly or the file has them; None if neither says.
        recipe: what the file says it was trained by.
        untrained: parts of the network that the file has nothing for, and how many parameters each has.
        foreign: learned parts in the file of prompt plugins that are not installed.
        problem: why the file cannot be loaded, in a sentence; None if it can.
    """

    file: str | None = None
    size: int | None = None
    license: str | None = None
    recipe: str | None = None
    untrained: dict[str, int] | None = None
    foreign: tuple[str, ...] = ()
    problem: str | None = None


def plan_weights(assembly: Assembly, network: Network) -> PlannedWeights:
    """Hold the header of the assembly's weights file against a network, which may be on the meta device."""
    path = assembly.weights_path()
    counts = {name: parameter.numel() for name, parameter in network.named_parameters()}
    if path is None or assembly.weights is None:
        return PlannedWeights(untrained=_count(dict.fromkeys(counts), counts))
    license_ = assembly.weights.license
    if assembly.weights.file is None and not path.is_file():
        said = f"they are not here yet: seemkit pull {name_for_commands(assembly)}"
        return PlannedWeights(str(path), None, license_, problem=said)
    try:
        about, given = read_header(path)
        types = read_types(path)
    except WeightsError as error:
        size = path.stat().st_size if path.is_file() else None
        return PlannedWeights(str(path), size, license_, problem=str(error))
    own = network.state_dict()
    fit, own_types = compare(shapes_of(own), given, about), types_of(own)
    swapped = fit.swapped()
    problem: str | None = None
    try:
        check_variant(Path(path), about, variant_of(assembly))
        fit.refuse(Path(path).name)
        refuse_other_kinds(Path(path).name, own_types, types)
    except WeightsError as error:
        problem = str(error)
    parts = {name for name in counts for part in fit.untrained if name.startswith(f"prompts.{part}.")}
    mistyped = of_other_kinds(own_types, types)
    bad = {*fit.lacks, *fit.misshapen, *fit.open, *swapped, *mistyped} if problem else set()
    untrained = dict.fromkeys(name for name in counts if name in bad or name in parts)
    recorded = about.get("license")
    recipe = about.get("recipe")
    return PlannedWeights(
        file=str(path),
        size=path.stat().st_size,
        license=license_ or (recorded if isinstance(recorded, str) else None),
        recipe=recipe if isinstance(recipe, str) else None,
        untrained=_count(untrained, counts),
        foreign=tuple(sorted({".".join(name.split(".")[1:3]) for name in fit.foreign})),
        problem=problem,
    )


def _count(names: dict[str, None], counts: dict[str, int]) -> dict[str, int]:
    """Parameters that are untrained, by part of the network."""
    found: dict[str, int] = {}
    for name in names:
        first, second, *rest = name.split(".")
        part = ".".join((first, second, rest[0]) if first == "prompts" and len(rest) > 1 else (first, second))
        key = first if first in ("image_encoder", "text_encoder") else part
        found[key] = found.get(key, 0) + counts[name]
    return found

"""Weights of one assembly for another: what fits is carried over, the rest is recorded as untrained."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seemkit.assembly.assembly import ARCHITECTURE
from seemkit.checkpoint.carry_rules import Decision, decide
from seemkit.checkpoint.convert import UNKNOWN, hash_file
from seemkit.errors import SeemkitError, WeightsError
from seemkit.weights import check_variant, variant_of, write_weights
from seemkit.weights_bytes import SCALE
from seemkit.weights_fit import Shapes, not_whole, part_of, read_header, shapes_of

if TYPE_CHECKING:
    from seemkit.assembly import Assembly
    from seemkit.network.network import Network
    from seemkit_registry import Registry
from seemkit.checkpoint.target import check_weights_target

__all__ = ["Carried", "carry_weights"]

WHOLES = ("image_encoder", "text_encoder")
PASSED = ("format", "untrained", "plugins", "leave_out", "choices")
"""What of a file's record is of no use as its origin."""
FETCHES = "pretrained"
"""The option by which a component fetches weights, which do not count here: those of the file do."""


@dataclass(frozen=True)
class Carried:
    """What came of carrying weights over.

    Attributes:
        path: the file that was written; None if nothing was.
        record: what it says of itself.
        decision: what became of every tensor.
        own: shapes of the network, by name.
        given: shapes in the file, by name.
        notes: what else there is to know, each in a sentence.
    """

    path: Path | None
    record: Mapping[str, object]
    decision: Decision
    own: Shapes
    given: Shapes
    notes: tuple[str, ...] = ()


def carry_weights(
    source: str | os.PathLike[str],
    assembly: Assembly,
    target: str | os.PathLike[str] | None,
    *,
    registry: Registry | None = None,
) -> Carried:
    """Write what of a weights file fits another assembly, with its licence and where it comes from.

    The network is built on the meta device: nothing is allocated but what is carried. A file that carries
    anything says what it leaves untrained, so that `load` refuses it unless that is allowed.

    Args:
        source: a weights file.
        assembly: that the weights are for.
        target: the file to write, whole or not at all; None only decides.
        registry: of components; by default that of the process.

    Raises:
        WeightsError: the file cannot be read, is of another variant of the published models, nothing of it fits, or
            the target cannot be written.
        SeemkitError: the components of the assembly do not fit each other.
    """
    path = Path(source)
    if target is not None:
        check_weights_target(path, Path(target), "carry over")
    about, given = read_header(path)
    check_variant(path, about, variant_of(assembly))
    before = _assembly_of(about)
    notes = list(_notes(before, assembly, about))
    network = _build(assembly, registry)
    listed = about.get("leave_out")
    elsewhere = tuple(map(str, listed)) if isinstance(listed, list) else ()
    own = shapes_of(network.state_dict())
    same_text = _choices(about, before).get("text_encoder") in (None, _choice(assembly, "text_encoder"))
    decision = decide(own, given, stored_elsewhere=elsewhere, same_text=same_text)
    if not decision.taken:
        raise WeightsError(
            f"nothing of {path.name} fits assembly {assembly.name!r}, and nothing was written", path=str(path)
        )
    record = _record(path, about, assembly, decision, own, network)
    if target is not None:
        _write(path, Path(target), decision, record)
    return Carried(None if target is None else Path(target), record, decision, own, given, tuple(notes))


def _build(assembly: Assembly, registry: Registry | None) -> Network:
    import torch

    from seemkit.pipeline.build import build_network
    from seemkit.pipeline.plan import without_fetching

    with torch.device("meta"), torch.no_grad():
        return build_network(without_fetching(assembly, []), registry)[0]


def _assembly_of(about: Mapping[str, object]) -> Assembly | None:
    """The assembly that a file names, if it is one that can be loaded here."""
    from seemkit.assembly import load_assembly

    name = about.get("assembly")
    if not isinstance(name, str) or Path(name).suffix:
        return None
    try:
        return load_assembly(name)
    except ValueError:  # one of somebody's own, or with plugins that are not here
        return None


def _choices(about: Mapping[str, object], before: Assembly | None) -> Mapping[str, object]:
    """The components that a file was made with, by slot: as it records them, or as its assembly has them."""
    recorded = about.get("choices")
    if isinstance(recorded, dict):
        return recorded
    return {} if before is None else {slot: _choice(before, slot) for slot in ARCHITECTURE}


def _choice(assembly: Assembly, slot: str) -> list[object]:
    """A component and its options, apart from weights that it fetches."""
    chosen = getattr(assembly, slot)
    options = {k: v for k, v in chosen.settings.model_dump(mode="json").items() if k != FETCHES}
    return [chosen.component, options]


def _notes(before: Assembly | None, assembly: Assembly, about: Mapping[str, object]) -> list[str]:
    """What names and shapes do not tell."""
    if "choices" in about:
        return []
    if before is None:
        name = about.get("assembly")
        said = (
            f"the assembly {name!r} that the file names is not here" if name else "the file names no assembly"
        )
        return [f"{said}, so encoders are compared by the names and shapes of their parameters alone"]
    from seemkit.pipeline.build import check_shapes

    notes = []
    try:
        ours, theirs = (check_shapes(each)[1] for each in (assembly, before))
    except SeemkitError:
        return []
    if (ours.mean, ours.std) != (theirs.mean, theirs.std):
        notes.append(
            f"the file was trained on input of mean {theirs.mean} and deviation {theirs.std}, the assembly has "
            f"{ours.mean} and {ours.std}"
        )
    return notes


def _record(
    source: Path,
    about: Mapping[str, object],
    assembly: Assembly,
    decision: Decision,
    own: Shapes,
    network: Network,
) -> dict[str, object]:
    """What the new file says: licence and recipe of the old one, which it was, and what is untrained."""
    plugins = about.get("plugins")
    said = plugins if isinstance(plugins, dict) else {}
    parts = sorted({part for name in (*decision.taken, *decision.foreign) if (part := part_of(name))})
    listed = about.get("leave_out")
    elsewhere = [str(prefix) for prefix in listed] if isinstance(listed, list) else []
    kept = [p for p in elsewhere if not any(name.startswith(p.split(".")[0]) for name in decision.untrained)]
    whole = [f"{w}." for w in WHOLES if _all_of(w, own, decision.untrained)]
    single = [n for n in decision.untrained if not n.startswith(tuple(whole)) and part_of(n) is None]
    origin = {k: v for k, v in about.items() if k not in PASSED}
    return {
        "assembly": assembly.name,
        "choices": {slot: _choice(assembly, slot) for slot in ARCHITECTURE},
        "variant": variant_of(assembly),
        "license": about.get("license") or UNKNOWN,
        "recipe": f"carried over from {source.name}",
        "plugins": {part: network.plugins.get(part) or said.get(part) or {} for part in parts},
        "leave_out": kept,
        "untrained": [*whole, *single],
        "carried_from": {
            "file": source.name,
            "sha256": hash_file(source),
            "tensors": len(decision.taken),
            "of": len(decision.taken) + len(decision.left),
            **({"about": origin} if origin else {}),
        },
    }


def _all_of(part: str, own: Shapes, untrained: Mapping[str, str]) -> bool:
    names = [name for name in own if name.startswith(f"{part}.")]
    return bool(names) and all(name in untrained for name in names)


def _write(source: Path, target: Path, decision: Decision, record: Mapping[str, object]) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(source), framework="pt") as file:
            taken = (*decision.foreign, *decision.taken)
            scales = {name + SCALE for name in taken} & set(file.keys())
            tensors = {name: file.get_tensor(name) for name in (*taken, *sorted(scales))}
    except (SafetensorError, OSError) as error:
        raise not_whole(source, error) from error
    write_weights(tensors, target, record)

"""Weights files: safetensors with a record of what they belong to, read strictly and written whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from seemkit.errors import SeemkitError, WeightsError
from seemkit.network.presets import PRESETS
from seemkit.results.atomic import replacing_path
from seemkit.weights_bytes import SCALE, from_bytes, to_bytes
from seemkit.weights_fit import (
    compare,
    not_whole,
    part_of,
    refuse_other_kinds,
    shapes_of,
    types_of,
)

if TYPE_CHECKING:
    from torch import Tensor

    from seemkit.assembly import Assembly
    from seemkit.network.network import Network

__all__ = [
    "check_variant",
    "files_of",
    "load_weights",
    "read_weights",
    "save_weights",
    "variant_of",
    "write_weights",
]

FORMAT = "seemkit-weights-1"


def save_weights(
    network: Network,
    path: str | os.PathLike[str],
    about: Mapping[str, object],
    *,
    half: bool = False,
    eight_bit: tuple[str, ...] = (),
    leave_out: tuple[str, ...] = (),
) -> Path:
    """Write a network's weights, whole or not at all, with those of plugins that are not installed here.

    Args:
        network: the network.
        path: the file.
        about: what to record: assembly, licence, recipe.
        half: store floating-point values as float16 where they fit (they are read as float32).
        eight_bit: prefixes of parameters whose large weights are stored as 8-bit integers with a scale for each
            output channel (:mod:`seemkit.weights_bytes`); they too are read as float32.
        leave_out: prefixes of parameters that are stored elsewhere, such as a text table of a plugin.

    Raises:
        WeightsError: the file cannot be written there.
    """
    tensors = {name: x for name, x in network.state_dict().items() if not name.startswith(leave_out)}
    record = {"leave_out": list(leave_out), "plugins": network.plugins, **about}
    large = {name: x for name, x in tensors.items() if name.startswith(eight_bit)} if eight_bit else {}
    stored = {**network.foreign, **{n: x for n, x in tensors.items() if n not in large}, **to_bytes(large)}
    return write_weights(stored, path, record, half=half)


def write_weights(
    tensors: Mapping[str, Tensor],
    path: str | os.PathLike[str],
    record: Mapping[str, object],
    *,
    half: bool = False,
) -> Path:
    """Write parameters by their names as a weights file, whole or not at all.

    Args:
        tensors: dense ones, on any device; none is copied that lies in main memory as it is written.
        path: the file.
        record: what the file says of itself, as JSON under "seemkit"; its `variant` is an entry of its own too.
        half: store floating-point values as float16 where they fit (they are read as float32).

    Raises:
        WeightsError: the file cannot be written there.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    plain = {name: _halve(x) if half and not name.endswith(SCALE) else x for name, x in tensors.items()}
    plain = _separate({name: x.detach().cpu().contiguous() for name, x in plain.items()})
    metadata = {"seemkit": json.dumps({"format": FORMAT, **record})}
    if isinstance(variant := record.get("variant"), str):
        metadata["variant"] = variant
    try:
        with replacing_path(path) as partial:
            mode = partial.stat().st_mode
            save_file(plain, partial, metadata=metadata)
            partial.chmod(mode)  # safetensors leaves a file that only its owner can read
    except (SeemkitError, SafetensorError) as error:
        said = str(error) if isinstance(error, SeemkitError) else f"{str(path)!r} cannot be written: {error}"
        raise WeightsError(said, path=getattr(error, "path", str(path))) from error
    return Path(path)


def variant_of(assembly: Assembly) -> str | None:
    """Which of the published models an assembly computes as, "v0", "v1" or "demo"; None where that is not known.

    Their weights have the same names and shapes, so only a record tells them apart.
    """
    preset = PRESETS.get(str(getattr(assembly.mask_decoder.settings, "preset", "")))
    return None if preset is None else preset.variant


def files_of(variant: str | None) -> str | None:
    """The variant whose published files a variant computes with: the demo has those of v0."""
    return "v0" if variant == "demo" else variant


def load_weights(
    network: Network,
    path: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    variant: str | None = None,
    allow_untrained: bool = False,
) -> dict[str, object]:
    """Load a weights file into a network, strictly; returns what the file says of itself.

    Learned parts of prompt plugins come and go: tensors of one that is not installed are kept in
    ``network.foreign``, and one that the file knows nothing of is entered in ``network.untrained``.

    Args:
        network: the network.
        path: the file.
        sha256: what the file's hash has to be.
        variant: of the published models that the assembly computes as; a file that records one of other files is
            refused.
        allow_untrained: let a backbone that the file was not trained with keep the weights that it has, and
            so what brings its maps to the decoder's width, and what a file that was carried over says it leaves
            untrained; all are entered in ``network.untrained``.

    Raises:
        WeightsError: no such file, another content or variant than expected, damaged, or parameters that are
            missing, unknown, of another shape or of another kind of numbers; the network is then unchanged.
    """
    source = Path(path)
    about, stored = read_weights(source, sha256=sha256)
    tensors = from_bytes(stored)
    check_variant(source, about, variant)
    own = network.state_dict()
    fit = compare(shapes_of(own), shapes_of(tensors), about)
    swapped = {**fit.swapped(), **fit.left_open()} if allow_untrained else {}
    fit.refuse(source.name, besides=swapped)
    installed = {part for name in own if (part := part_of(name))}
    given = {n: x for n, x in tensors.items() if n in own and n not in swapped}
    refuse_other_kinds(source.name, types_of(own), types_of(given))
    network.load_state_dict({n: x.to(own[n].dtype) for n, x in given.items()}, strict=False)
    recorded = about.get("plugins")
    said = recorded if isinstance(recorded, dict) else {}
    network.foreign = {name: tensors[name] for name in fit.foreign}
    network.plugins = {part: network.plugins.get(part, {}) for part in sorted(installed)}
    absent = sorted({part for name in fit.foreign if (part := part_of(name))})
    network.plugins |= {part: dict(said.get(part) or {}) for part in absent}
    network.untrained = frozenset(fit.untrained | set(swapped.values()))
    return about


def check_variant(source: Path, about: Mapping[str, object], variant: str | None) -> None:
    """Refuse a file that records a variant of the published models that has other files than `variant`."""
    recorded = about.get("variant")
    if variant is None or recorded is None or files_of(str(recorded)) == files_of(variant):
        return
    known = about.get("assembly")
    way = (
        f"load it with assembly {known!r}"
        if isinstance(known, str)
        else f"take weights of {files_of(variant)}"
    )
    raise WeightsError(
        f"{source.name} holds weights of {recorded}, and the assembly computes as {variant}: they would fit "
        f"and answer wrongly; {way}, or convert the published file again with --assembly",
        path=str(source),
        suggestion=known if isinstance(known, str) else None,
    )


def _separate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give tensors that share their memory memory of their own, as a file needs them."""
    seen: set[int] = set()
    apart = {}
    for name, x in tensors.items():
        place = x.untyped_storage().data_ptr()
        apart[name] = x.clone() if place in seen else x
        seen.add(place)
    return apart


def _halve(x: Tensor) -> Tensor:
    import torch

    if x.dtype != torch.float32:
        return x
    half = x.half()
    return half if bool((half.isfinite() | ~x.isfinite()).all()) else x


def read_weights(source: Path, *, sha256: str | None = None) -> tuple[dict[str, object], dict[str, Tensor]]:
    """What a weights file says of itself, and its tensors as they are stored.

    Args:
        source: the file.
        sha256: what the file's hash has to be.

    Raises:
        WeightsError: no such file, another content than expected, or damaged.
    """
    from safetensors import SafetensorError, safe_open

    if not source.is_file():
        raise WeightsError(f"there is no weights file {source}", path=str(source))
    try:
        if sha256 is not None and hashlib.sha256(source.read_bytes()).hexdigest() != sha256:
            raise WeightsError(
                f"{source.name} is not the file that the assembly records: its SHA-256 differs",
                path=str(source),
            )
        with safe_open(str(source), framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("seemkit", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise not_whole(source, error) from error
    if not isinstance(about, dict) or about.get("format", FORMAT) != FORMAT:
        raise WeightsError(f"{source.name} is not a weights file of the form {FORMAT!r}", path=str(source))
    return about, tensors

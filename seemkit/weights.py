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

if TYPE_CHECKING:
    from torch import Tensor

    from seemkit.assembly import Assembly
    from seemkit.network.network import Network

__all__ = ["load_weights", "save_weights", "variant_of", "write_weights"]

FORMAT = "seemkit-weights-1"
PARTS = "prompts."
"""Prefix of the learned parts of prompts."""
ENCODER = ("image_encoder.", "pixel_decoder.lateral.", "pixel_decoder.in_proj.")
"""What belongs to a backbone: itself, and what brings its maps to the decoder's width."""


def save_weights(
    network: Network,
    path: str | os.PathLike[str],
    about: Mapping[str, object],
    *,
    half: bool = False,
    leave_out: tuple[str, ...] = (),
) -> Path:
    """Write a network's weights, whole or not at all, with those of plugins that are not installed here.

    Args:
        network: the network.
        path: the file.
        about: what to record: assembly, licence, recipe.
        half: store floating-point values as float16 where they fit (they are read as float32).
        leave_out: prefixes of parameters that are stored elsewhere, such as a text table of a plugin.

    Raises:
        WeightsError: the file cannot be written there.
    """
    tensors = {name: x for name, x in network.state_dict().items() if not name.startswith(leave_out)}
    record = {"leave_out": list(leave_out), "plugins": network.plugins, **about}
    return write_weights({**network.foreign, **tensors}, path, record, half=half)


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
        record: what the file says of itself.
        half: store floating-point values as float16 where they fit (they are read as float32).

    Raises:
        WeightsError: the file cannot be written there.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    plain = {name: _halve(x) if half else x for name, x in tensors.items()}
    plain = _separate({name: x.detach().cpu().contiguous() for name, x in plain.items()})
    metadata = {"seemkit": json.dumps({"format": FORMAT, **record})}
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
    """Which published weights an assembly computes with, "v0" or "v1"; None where that is not known.

    Both have the same names and shapes, so only a record tells them apart.
    """
    preset = PRESETS.get(str(getattr(assembly.mask_decoder.settings, "preset", "")))
    return None if preset is None else preset.variant


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
        variant: of published weights that the assembly computes with; a file that records another is refused.
        allow_untrained: let a backbone that the file was not trained with keep the weights that it has, and
            so what brings its maps to the decoder's width; both are entered in ``network.untrained``.

    Raises:
        WeightsError: no such file, another content or variant than expected, damaged, or parameters that are
            missing, unknown or of another shape; the network is then unchanged.
    """
    source = Path(path)
    about, tensors = _read(source, sha256)
    _check_variant(source, about, variant)
    own = network.state_dict()
    installed = {part for name in own if (part := part_of(name))}
    found = {part for name in tensors if (part := part_of(name))}
    untrained = installed - found
    foreign = {name: x for name, x in tensors.items() if part_of(name) in found - installed}
    listed = about.get("leave_out")
    left_out = tuple(map(str, listed)) if isinstance(listed, list) else ()
    misfits = {
        "lacks": [n for n in own if n not in tensors and not n.startswith(left_out)],
        "has unknown": [n for n in tensors if n not in own and n not in foreign],
        "has misshapen": [n for n in tensors if n in own and tensors[n].shape != own[n].shape],
    }
    misfits["lacks"] = [n for n in misfits["lacks"] if part_of(n) not in untrained]
    swapped = _swapped(misfits, tensors) if allow_untrained else {}
    _refuse(source.name, {what: [n for n in names if n not in swapped] for what, names in misfits.items()})
    given = {n: x.to(own[n].dtype) for n, x in tensors.items() if n in own and n not in swapped}
    network.load_state_dict(given, strict=False)
    recorded = about.get("plugins")
    said = recorded if isinstance(recorded, dict) else {}
    network.foreign = foreign
    network.plugins = {part: network.plugins.get(part, {}) for part in sorted(installed)}
    network.plugins |= {part: dict(said.get(part) or {}) for part in sorted(found - installed)}
    network.untrained = frozenset(untrained | set(swapped.values()))
    return about


def part_of(name: str) -> str | None:
    """``<distribution>.<name>`` of a parameter of a prompt plugin; None for any other."""
    from seemkit.network.network import CORE_PARTS

    parts = name.split(".")
    if not name.startswith(PARTS) or len(parts) < 4 or parts[1] in CORE_PARTS:
        return None
    return f"{parts[1]}.{parts[2]}"


def _check_variant(source: Path, about: Mapping[str, object], variant: str | None) -> None:
    recorded = about.get("variant")
    if variant is None or recorded is None or recorded == variant:
        return
    known = about.get("assembly")
    way = f"load it with assembly {known!r}" if isinstance(known, str) else f"take weights of {variant}"
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


def _read(source: Path, sha256: str | None) -> tuple[dict[str, object], dict[str, Tensor]]:
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
        raise WeightsError(
            f"{source.name} is not a whole safetensors file: {error}", path=str(source)
        ) from error
    if not isinstance(about, dict) or about.get("format", FORMAT) != FORMAT:
        raise WeightsError(f"{source.name} is not a weights file of the form {FORMAT!r}", path=str(source))
    return about, tensors


def _swapped(misfits: Mapping[str, list[str]], tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Parameters that are not taken from a file because of its backbone, and what they leave untrained."""
    backbone, *bridges = ENCODER
    wrong = [n for names in misfits.values() for n in names]
    swapped = {n: n.rpartition(".")[0] for n in wrong if n.startswith(tuple(bridges))}
    if any(n.startswith(backbone) for n in wrong):
        swapped |= {n: backbone.rstrip(".") for n in (*wrong, *tensors) if n.startswith(backbone)}
    return swapped


def _refuse(file: str, misfits: Mapping[str, list[str]]) -> None:
    everything = [n for names in misfits.values() for n in names]
    for what, names in misfits.items():
        if names:
            some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            hint = "; it was trained with another backbone: to use the rest of it, give allow_untrained=True"
            way = hint if all(n.startswith(ENCODER) for n in everything) else ""
            raise WeightsError(f"{file} does not fit the assembly: it {what} {some}{way}", path=names[0])

"""A published `.pt` file to a weights file of ours: none of its code runs, and it fits or is refused."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seemkit.checkpoint.fit import MisfitError, expected_parameters, family_of, fit, fitting_assemblies
from seemkit.checkpoint.keys import to_theirs
from seemkit.checkpoint.read import read_state
from seemkit.checkpoint.target import check_weights_target
from seemkit.weights import files_of, variant_of, write_weights

if TYPE_CHECKING:
    from torch import Tensor

    from seemkit.assembly import Assembly
    from seemkit_registry import Registry

__all__ = ["Converted", "convert_checkpoint", "hash_file", "named_variant"]

UNKNOWN = "not stated in the file"
LOGGER = logging.getLogger("seemkit")


@dataclass(frozen=True)
class Converted:
    """What came of a conversion.

    Attributes:
        path: the weights file.
        record: what it says of itself.
        parameters: how many tensors it holds.
        values: how many numbers.
    """

    path: Path
    record: Mapping[str, object]
    parameters: int
    values: int


def convert_checkpoint(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    assembly: Assembly,
    *,
    about: Mapping[str, object] | None = None,
    half: bool = False,
    sha256: str | None = None,
    registry: Registry | None = None,
) -> Converted:
    """Write the parameters of a published file as a weights file for an assembly.

    The network is not built, and values of float32 go from file to file without a copy. v0 and v1 files hold
    the same names and shapes, so which of them a file is cannot be checked: the assembly has to be the right
    one. A file whose name says otherwise is warned of.

    Args:
        source: the `.pt` file.
        target: the safetensors file, written whole or not at all.
        assembly: that the file is for.
        about: what to record beside assembly, variant, licence, name and SHA-256 of the source.
        half: store float16.
        sha256: of the source, where it is known already.
        registry: of components; by default that of the process.

    Raises:
        MisfitError: names, shapes or kinds of numbers differ, or values are not finite; with all of them.
        WeightsError: the file cannot be read or the target not be written.
    """
    path, out = Path(source), Path(target)
    check_weights_target(path, out, "convert")
    state = read_state(path)
    expected = expected_parameters(assembly, registry)
    tensors = _match(path.name, state, expected, assembly)
    variant = variant_of(assembly)
    if (named := named_variant(path.name)) is not None and files_of(variant) not in (None, named):
        LOGGER.warning(
            f"{path.name} is named {named}, and assembly {assembly.name!r} computes as {variant}; nothing in a "
            "file tells them apart and names were shifted between releases, so make sure which one it is"
        )
    license_of = assembly.weights.license if assembly.weights is not None else None
    record: dict[str, object] = {
        "assembly": assembly.name,
        "variant": variant,
        "license": license_of or UNKNOWN,
        "source": path.name,
        "source_sha256": sha256 or hash_file(path),
        "plugins": {},
        **(about or {}),
    }
    written = write_weights({name: tensors[name] for name in expected}, out, record, half=half)
    return Converted(written, record, len(expected), sum(value.numel() for value in expected.values()))


def named_variant(file: str) -> str | None:
    """The variant that the name of a published file says, if it says one.

    ``seem_focalt_v2.pt`` is what an older release called v0 of FocalNet-T; a demo runs on v0.
    """
    found = re.search(r"(?:^|[_-])(v[0-9]|demo)(?![0-9a-z])", file.lower())
    return None if found is None else files_of({"v2": "v0"}.get(found[1], found[1]))


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _match(
    file: str,
    state: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    assembly: Assembly,
) -> dict[str, Tensor]:
    """The parameters by our names and in the network's precision, all of them and no other."""
    family = family_of(expected, assembly.name)
    found = fit(state, expected, family)
    tensors = {name: x.to(expected[name].dtype) for name, x in found.tensors.items()}
    for name, x in tensors.items():
        if wrong := int((~x.isfinite()).sum()):
            found.not_finite[name] = f"{to_theirs(name, family)}  {wrong} of {x.numel()}"
    if not list(found):
        return tensors
    if not tensors and not found.misshapen and not found.mistyped and not any(found.unexpected.values()):
        raise MisfitError(
            f"{file} holds none of the parameters of a SEEM file, and nothing was written: {found.counts()}",
            found,
        )
    others = fitting_assemblies(state)
    fits = f"; this file fits {', '.join(others)}" if others else ""
    raise MisfitError(
        f"{file} does not fit assembly {assembly.name!r}, and nothing was written: {found.counts()}{fits}",
        found,
    )

"""Whether the tensors of a weights file fit a network: told from names, shapes and types of numbers alone."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seemkit.errors import WeightsError
from seemkit.weights_bytes import SCALE, names_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = [
    "BRIDGES",
    "Fit",
    "compare",
    "not_whole",
    "of_other_kinds",
    "part_of",
    "read_header",
    "read_types",
    "refuse_other_kinds",
    "same_kind",
    "shapes_of",
    "types_of",
]

PARTS = "prompts."
"""Prefix of the learned parts of prompts."""
BRIDGES = ("pixel_decoder.lateral", "pixel_decoder.in_proj", "pixel_decoder.meaning")
"""What brings a backbone's maps to the decoder's width."""
ENCODER = ("image_encoder.", *(f"{bridge}." for bridge in BRIDGES))
"""What belongs to a backbone: itself, and its bridges."""

TORCH = (b"PK\x03\x04", *(b"\x80" + bytes([protocol]) for protocol in range(2, 6)))
"""What files of `torch.save` begin with: a zip archive, and before that a pickle."""

Shapes = Mapping[str, tuple[int, ...]]
"""Shape by name."""

Types = Mapping[str, "torch.dtype"]
"""Type of numbers by name."""


@dataclass(frozen=True)
class Fit:
    """How the tensors of a file fit a network.

    Attributes:
        lacks: parameters that the file does not have and should.
        unknown: tensors of the file that the network has no place for.
        misshapen: parameters that the file has in another shape.
        foreign: tensors of prompt plugins that are not installed here.
        untrained: learned parts of prompt plugins that the file knows nothing of, `<distribution>.<name>`.
        given: names in the file.
        open: parameters that the file says it leaves untrained, as one that was carried over does.
    """

    lacks: tuple[str, ...]
    unknown: tuple[str, ...]
    misshapen: tuple[str, ...]
    foreign: tuple[str, ...]
    untrained: frozenset[str]
    given: tuple[str, ...]
    open: tuple[str, ...] = ()

    def left_open(self) -> dict[str, str]:
        """Parameters that the file says it leaves untrained, and the part of the network that each belongs to."""
        wholes = ("image_encoder", "text_encoder")
        parts = {n: n.partition(".")[0] for n in self.open}
        return {n: part if part in wholes else n.rpartition(".")[0] for n, part in parts.items()}

    def swapped(self) -> dict[str, str]:
        """Parameters that another backbone keeps from being taken, and what they leave untrained."""
        backbone, *bridges = ENCODER
        wrong = (*self.lacks, *self.unknown, *self.misshapen)
        swapped = {n: n.rpartition(".")[0] for n in wrong if n.startswith(tuple(bridges))}
        if any(n.startswith(backbone) for n in wrong):
            whole = {n: backbone.rstrip(".") for n in (*wrong, *self.given) if n.startswith(backbone)}
            swapped |= whole
        return swapped

    def refuse(self, file: str, besides: Collection[str] = ()) -> None:
        """Raise :class:`WeightsError` for the first thing that does not fit, `besides` apart."""
        misfits = {"lacks": self.lacks, "has unknown": self.unknown, "has misshapen": self.misshapen}
        if untrained := [n for n in self.open if n not in besides]:
            first = ", ".join(untrained[:3])
            more = f" and {len(untrained) - 3} more" if len(untrained) > 3 else ""
            raise WeightsError(
                f"{file} was carried over from another assembly and leaves {len(untrained)} parameters untrained "
                f"({first}{more}): train it, or in Python load it with allow_untrained=True",
                path=untrained[0],
            )
        left = {what: [n for n in names if n not in besides] for what, names in misfits.items()}
        everything = [n for names in left.values() for n in names]
        for what, names in left.items():
            if names:
                some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
                hint = (
                    "; it was trained with another backbone: to use the rest of it, 'seemkit train --adapt' it, or in "
                    "Python load it with allow_untrained=True"
                )
                way = hint if all(n.startswith(ENCODER) for n in everything) else ""
                message = f"{file} does not fit the assembly: it {what} {some}{way}"
                raise WeightsError(message, path=names[0])


def compare(own: Shapes, given: Shapes, about: Mapping[str, object]) -> Fit:
    """How tensors of the shapes `given` fit a network of the shapes `own`.

    Args:
        own: of the network.
        given: of the file.
        about: what the file says of itself.
    """
    installed = {part for name in own if (part := part_of(name))}
    found = {part for name in given if (part := part_of(name))}
    untrained = frozenset(installed - found)
    foreign = tuple(name for name in given if part_of(name) in found - installed)
    listed = about.get("leave_out")
    left_out = tuple(map(str, listed)) if isinstance(listed, list) else ()
    lacks = [n for n in own if n not in given and not n.startswith(left_out) and part_of(n) not in untrained]
    said = about.get("untrained")
    named = tuple(map(str, said)) if isinstance(said, list) else ()
    opened = tuple(n for n in lacks if n in named or n.startswith(tuple(p for p in named if p.endswith("."))))
    return Fit(
        lacks=tuple(n for n in lacks if n not in opened),
        open=opened,
        unknown=tuple(n for n in given if n not in own and n not in foreign),
        misshapen=tuple(n for n in given if n in own and tuple(given[n]) != tuple(own[n])),
        foreign=foreign,
        untrained=untrained,
        given=tuple(given),
    )


def shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    """Shape by name of tensors, which may be on the meta device."""
    return {name: tuple(x.shape) for name, x in tensors.items()}


def types_of(tensors: Mapping[str, Tensor]) -> Types:
    """Type of numbers by name of tensors, which may be on the meta device."""
    return {name: x.dtype for name, x in tensors.items()}


def of_other_kinds(own: Types, given: Types) -> list[str]:
    """Names of integers, truth values or complex numbers where a network has real ones, and the other way round."""
    return [name for name, held in given.items() if name in own and not same_kind(held, own[name])]


def refuse_other_kinds(file: str, own: Types, given: Types) -> None:
    """Raise :class:`WeightsError` for what a file gives in another kind of numbers than the network has."""
    if wrong := of_other_kinds(own, given):
        first, more = wrong[0], f" and {len(wrong) - 1} more like it" if len(wrong) > 1 else ""
        held, expected = (str(types[first]).removeprefix("torch.") for types in (given, own))
        raise WeightsError(
            f"{file} does not fit the assembly: {first} is {held}, expected {expected} or another "
            f"precision of it{more}; convert or save the weights again",
            path=first,
        )


def same_kind(one: torch.dtype, other: torch.dtype) -> bool:
    """Whether numbers of two types are both real, complex, truth values or integers; they may differ in width."""
    kinds = [
        (x.is_floating_point, x.is_complex, str(x) == "torch.bool")  # all False: integers
        for x in (one, other)
    ]
    return kinds[0] == kinds[1]


def part_of(name: str) -> str | None:
    """``<distribution>.<name>`` of a parameter of a prompt plugin; None for any other."""
    from seemkit.network.network import CORE_PARTS

    parts = name.split(".")
    if not name.startswith(PARTS) or len(parts) < 4 or parts[1] in CORE_PARTS:
        return None
    return f"{parts[1]}.{parts[2]}"


def not_whole(source: Path, error: Exception) -> WeightsError:
    """What to say of a file that safetensors refuses: that it is damaged, or the command for one of PyTorch."""
    try:
        with source.open("rb") as file:
            head = file.read(9)
    except OSError:
        head = b""
    if head.startswith(TORCH) and head[8:] != b"{":  # which is where the header of safetensors begins
        name, out = (shlex.quote(str(x)) for x in (source, source.with_suffix(".safetensors").name))
        said = (
            "is a file of PyTorch, which is not loaded as it is; make weights of it with "
            f"'seemkit convert {name} -o {out} --assembly NAME'"
        )
    else:
        said = f"is not a whole safetensors file: {error}"
    return WeightsError(f"{source.name} {said}", path=str(source))


def read_header(path: str | os.PathLike[str]) -> tuple[dict[str, object], Shapes]:
    """What a weights file says of itself, and the shapes of its tensors; no tensor is read.

    Raises:
        WeightsError: no such file, or not a whole safetensors file.
    """
    with _opened(path, "np") as file:
        about = json.loads((file.metadata() or {}).get("seemkit", "{}"))
        shapes = {n: tuple(file.get_slice(n).get_shape()) for n in names_of(file.keys())}
    return (about if isinstance(about, dict) else {}), shapes


def read_types(path: str | os.PathLike[str]) -> Types:
    """Types of the numbers of a weights file, as the file holds them; next to nothing of the tensors is read.

    Those that are stored as 8-bit integers are left out: they are read as real numbers whatever they are.

    Raises:
        WeightsError: no such file, or not a whole safetensors file.
    """
    with _opened(path, "pt") as file:
        stored = dict.fromkeys(file.keys())  # in the order of loading
        slices = {n: file.get_slice(n) for n in names_of(stored) if n + SCALE not in stored}
        return {n: x[:0].dtype if x.get_shape() else file.get_tensor(n).dtype for n, x in slices.items()}


@contextmanager
def _opened(path: str | os.PathLike[str], framework: str) -> Iterator[Any]:
    """A safetensors file, open for reading."""
    from safetensors import SafetensorError, safe_open

    source = Path(path)
    if not source.is_file():
        raise WeightsError(f"there is no weights file {source}", path=str(source))
    try:
        with safe_open(str(source), framework=framework) as file:
            yield file
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise not_whole(source, error) from error

"""Holds a published state dict against the network of an assembly, and says everything that does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, get_args

from seemkit.checkpoint.keys import (
    Family,
    guess_family,
    is_ignorable,
    needs_no_place,
    shape_to_ours,
    to_ours,
    to_theirs,
)
from seemkit.errors import SeemkitError, WeightsError
from seemkit.weights_fit import part_of, same_kind

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from seemkit.assembly import Assembly
    from seemkit.network.network import Network
    from seemkit_registry import Registry

__all__ = ["Fit", "MisfitError", "expected_parameters", "family_of", "fit", "fitting_assemblies"]

FAMILIES: tuple[Family, ...] = get_args(Family)


class MisfitError(WeightsError):
    """A published file that does not fit an assembly: one sentence, then every name that does not fit.

    Attributes:
        missing: what the file lacks, by our names.
        unexpected: what the file has beside, by its own names.
        misshapen: what has another shape, by our names.
        mistyped: what holds another kind of numbers, such as integers, by our names.
        not_finite: what holds NaN or infinity in the network's precision, by our names.
    """

    def __init__(self, sentence: str, found: Fit) -> None:
        super().__init__("\n".join([sentence, *found.lines()]), path=next(iter(found), None))
        self.missing = tuple(found.missing)
        self.unexpected = tuple(found.unexpected)
        self.misshapen = tuple(found.misshapen)
        self.mistyped = tuple(found.mistyped)
        self.not_finite = tuple(found.not_finite)


@dataclass
class Fit:
    """What a file gives to a network, and what does not fit.

    Attributes:
        tensors: what fits, by our names, in the file's own precision.
        missing: our name and theirs of what the file lacks.
        unexpected: their name of what the file has beside, and ours if the name is one of SEEM's.
        misshapen: our name, and theirs with both shapes.
        mistyped: our name, and theirs with both types of numbers.
        not_finite: our name, and theirs with how many values are NaN or infinite; it takes reading all of them, so
            :func:`fit` leaves it empty.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    unexpected: dict[str, str] = field(default_factory=dict)
    misshapen: dict[str, str] = field(default_factory=dict)
    mistyped: dict[str, str] = field(default_factory=dict)
    not_finite: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        return iter([*self.missing, *self.unexpected, *self.misshapen, *self.mistyped, *self.not_finite])

    def counts(self) -> str:
        """How much does not fit, in words."""
        named = {
            "missing": self.missing,
            "unexpected": self.unexpected,
            "of another shape": self.misshapen,
            "of another kind of numbers": self.mistyped,
            "not finite": self.not_finite,
        }
        return ", ".join(f"{len(names)} {what}" for what, names in named.items() if names)

    def lines(self) -> Iterator[str]:
        """Every name that does not fit, under headings."""
        for heading, names in (
            ("missing (our name, published name):", self.missing),
            ("unexpected (published name, what ours would be):", self.unexpected),
            (
                "of another shape (our name, published name, shape in the file, shape expected):",
                self.misshapen,
            ),
            (
                "of another kind of numbers (our name, published name, type in the file, type expected):",
                self.mistyped,
            ),
            ("not finite (our name, published name, how many values):", self.not_finite),
        ):
            if names:
                yield heading
                yield from (f"  {name}  {other}".rstrip() for name, other in names.items())


def expected_parameters(assembly: Assembly, registry: Registry | None = None) -> dict[str, Tensor]:
    """The parameters of an assembly's network as meta tensors, without those of prompt plugins.

    Nothing is allocated: names, shapes and dtypes are all there is.
    """
    import torch

    from seemkit.pipeline.build import build_network

    with torch.device("meta"):
        network: Network = build_network(assembly, registry)[0]
    return {name: value for name, value in network.state_dict().items() if part_of(name) is None}


def family_of(expected: Mapping[str, Tensor], name: str) -> Family:
    """The backbone family of the published files that are for these parameters; `name` is the assembly's."""
    for family in FAMILIES:
        try:
            if guess_family(to_theirs(key, family) for key in expected) == family:
                return family
        except WeightsError:
            continue
    raise WeightsError(f"no published SEEM file is for assembly {name!r}: its parts have other parameters")


def fit(state: Mapping[str, Tensor], expected: Mapping[str, Tensor], wanted: Family) -> Fit:
    """Compare a published state dict with the parameters that it is for, which are of the family `wanted`."""
    found = Fit()
    try:
        family = guess_family(state)
    except WeightsError:  # its sign may be what is missing
        family = wanted
    theirs: dict[str, str] = {}
    for key, value in state.items():
        if is_ignorable(key):
            continue
        ours = _translate(key, family)
        if ours not in expected and needs_no_place(key):
            continue
        if ours is None or ours not in expected or ours in theirs:
            found.unexpected[key] = ours or ""
            continue
        theirs[ours] = key
        shape = shape_to_ours(ours, value.shape, family)
        if shape != tuple(expected[ours].shape):
            found.misshapen[ours] = f"{key}  {_show(value.shape)}  {_show(expected[ours].shape)}"
        elif not same_kind(value.dtype, expected[ours].dtype):
            types = (str(x.dtype).removeprefix("torch.") for x in (value, expected[ours]))
            found.mistyped[ours] = "  ".join((key, *types))
        else:
            found.tensors[ours] = value.reshape(shape)
    found.missing = {ours: to_theirs(ours, wanted) for ours in expected if ours not in theirs}
    return found


def fitting_assemblies(state: Mapping[str, Tensor]) -> list[str]:
    """Names of the shipped assemblies that a published state dict fits without a rest."""
    return [
        name
        for names, expected, family in _shipped()
        if not list(fit(state, expected, family))
        for name in names
    ]


@cache
def _shipped() -> list[tuple[list[str], dict[str, Tensor], Family]]:
    """The shipped assemblies that files were published for, those of one architecture together."""
    from seemkit.assembly import assembly_names, load_assembly

    found: dict[str, tuple[list[str], dict[str, Tensor], Family]] = {}
    for name in assembly_names():
        try:
            assembly = load_assembly(name)
            decoder = {key: x for key, x in assembly.mask_decoder.options().items() if key != "preset"}
            key = f"{assembly.backbone}{assembly.pixel_decoder}{assembly.text_encoder}{decoder}"
            if key not in found:
                expected = expected_parameters(assembly)
                found[key] = ([], expected, family_of(expected, name))
        except ValueError:  # another kind of model, or one whose plugins are not here
            continue
        found[key][0].append(name)
    return list(found.values())


def _translate(key: str, family: Family) -> str | None:
    try:
        return to_ours(key, family)
    except SeemkitError:
        return None


def _show(shape: torch.Size) -> str:
    return str(tuple(shape))

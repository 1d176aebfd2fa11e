"""`seemkit carry`: the weights of one assembly for another, with a report of what fits."""

import json
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import read_settings, settings_option
from seemkit.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seemkit.checkpoint.carry import Carried
    from seemkit.weights_fit import Shapes

__all__ = ["carry"]


@click.command(cls=Command)
@click.argument("source", metavar="FROM")
@click.option(
    "--to", "name", metavar="NAME|FILE.yaml", required=True, help="The assembly that the weights are for."
)
@settings_option
@click.option(
    "-o",
    "--output",
    "out",
    metavar="OUT.safetensors",
    help="Where they go; without it, only the report is given.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the report as JSON, every tensor with its reason."
)
def carry(source: str, name: str, settings: tuple[str, ...], out: str | None, as_json: bool) -> None:
    """Carry weights over to another assembly where they fit.

    FROM is a weights file, or an assembly whose weights are here. Encoders are carried whole or not at all,
    other parameters where name and shape are the same. Licence and origin go along, and what stays untrained
    is recorded: the file is refused unless that is allowed, or it is trained.
    """
    from seemkit.assembly import load_assembly

    file = _find_weights(source)
    overrides: dict[str, Any] = read_settings(settings)
    assembly = load_assembly(name, overrides)
    with chatter_aside(), Progress() as progress:
        progress.say(f"carrying over {file.name}")
        from seemkit.checkpoint.carry import carry_weights

        made = carry_weights(file, assembly, out)
    if as_json:
        click.echo(json.dumps(_report(made)))
    else:
        _print(made)


def _find_weights(source: str) -> Path:
    """A file, or that of an assembly by its name."""
    from seemkit.assembly import assembly_names, load_assembly
    from seemkit_registry.suggestion import nearest

    path = Path(source)
    if path.suffix == ".safetensors" or path.is_file():
        return path
    names = assembly_names()
    if source not in names:
        near = nearest(source, names)
        hint = f"did you mean {near[0]!r}?" if near else "give a .safetensors file or the name of an assembly"
        raise RequestError(
            f"there are no weights {source!r}; {hint}", path="FROM", suggestion=near[0] if near else None
        )
    found = load_assembly(source).weights_path()
    if found is None or not found.is_file():
        raise RequestError(f"the weights of {source!r} are not here; 'seemkit pull {source}' may get them")
    return found


def _report(made: "Carried") -> dict[str, object]:
    decision = made.decision
    return {
        "file": None if made.path is None else str(made.path),
        "record": dict(made.record),
        "carried": list(decision.taken),
        "carried_values": _values(decision.taken, made.own),
        "foreign": list(decision.foreign),
        "untrained": _reasons(decision.untrained, made.own),
        "untrained_values": _values(decision.untrained, made.own),
        "left": _reasons(decision.left, made.given),
        "notes": list(made.notes),
    }


def _reasons(names: "Mapping[str, str]", shapes: "Shapes") -> list[dict[str, object]]:
    return [{"name": n, "shape": list(shapes[n]), "reason": why} for n, why in names.items()]


def _values(names: "tuple[str, ...] | Mapping[str, str]", shapes: "Shapes") -> int:
    return sum(prod(shapes[name]) for name in names)


def _print(made: "Carried") -> None:
    from seemkit.cli.tables import print_lines, print_table

    decision, record = made.decision, made.record
    rows = list(_rows(made))
    print_table(["part", "tensors", "values", "what becomes of it"], rows, right=("tensors", "values"))
    carried, total = _values(decision.taken, made.own), _values(tuple(made.own), made.own)
    lines = [
        (
            "carried",
            f"{len(decision.taken)} of {len(made.own)} tensors, {carried / max(total, 1):.0%} of the values",
        ),
        ("license", str(record["license"])),
        ("from", f"{record['carried_from']['file']}, SHA-256 {record['carried_from']['sha256']}"),  # type: ignore[index]
    ]
    lines += [("note", said) for said in made.notes]
    if made.path is not None:
        lines.append(("weights", f"{made.path} ({made.path.stat().st_size / 1e6:.1f} MB)"))
    if decision.untrained:
        lines.append(("use", "train what is untrained, or in Python load it with allow_untrained=True"))
    click.echo()
    print_lines(lines)


def _rows(made: "Carried") -> Iterator[tuple[str, str, str, str]]:
    from seemkit.checkpoint.carry_rules import group

    decision = made.decision
    for prefix, names, shapes in (
        ("", dict.fromkeys(decision.taken, "carried"), made.own),
        ("", dict.fromkeys(decision.foreign, "kept for a plugin that is not installed"), made.given),
        ("untrained: ", decision.untrained, made.own),
        ("left: ", {n: why for n, why in decision.left.items() if n not in decision.untrained}, made.given),
    ):
        for part, why, some in group(names):
            yield part, str(len(some)), f"{_values(tuple(some), shapes):,}", f"{prefix}{why}"

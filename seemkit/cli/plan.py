"""`seemkit plan`: what an assembly will be built of, before anything is built, loaded or fetched."""

import dataclasses
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import read_settings, settings_option
from seemkit.cli.progress import Progress

if TYPE_CHECKING:
    from seemkit.pipeline.plan import Plan
    from seemkit.pipeline.planned_weights import PlannedWeights

__all__ = ["plan"]

LARGEST = 100_000
"""Pixels of a side."""


@click.command(cls=Command)
@click.argument("assembly", metavar="NAME|FILE.yaml")
@settings_option
@click.option(
    "--photo",
    default="640x480",
    show_default=True,
    metavar="WxH",
    help="Shapes and memory are for such a photo.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan(assembly: str, settings: tuple[str, ...], photo: str, as_json: bool) -> None:
    """Say what an assembly will be built of, building and loading nothing.

    For each slot the component, its distribution and version; shapes from the photo to the masks; parameters
    and memory; what is put between components that do not fit by themselves; the weights, their licence, and
    what of the network they leave untrained.
    """
    size = _read_size(photo)
    overrides: dict[str, Any] = read_settings(settings)
    with chatter_aside(), Progress() as progress:
        progress.say(f"planning {assembly}")
        from seemkit.assembly.load import load_assembly
        from seemkit.pipeline.plan import make_plan

        found = make_plan(load_assembly(assembly, overrides), photo=size)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found), indent=2))
        return
    _print(found)


def _read_size(text: str) -> tuple[int, int]:
    """(H, W) of ``640x480``, which is width by height."""
    width, _, height = text.lower().partition("x")
    if all(side.isascii() and side.isdigit() and 1 <= int(side) <= LARGEST for side in (width, height)):
        return int(height), int(width)
    raise RequestError(
        f"--photo {text!r} is not a width and a height in pixels, such as 640x480", path="--photo"
    )


def _print(found: "Plan") -> None:
    from seemkit.cli.tables import print_lines, print_table

    click.echo(f"{found.name}, for a photo of {found.photo[1]} x {found.photo[0]}\n")
    rows = [
        [part.slot, part.use, " ".join(filter(None, (part.distribution, part.version))), _pairs(part.options)]
        for part in found.parts
    ]
    print_table(["slot", "component", "from", "options"], rows)
    click.echo("\nshapes")
    print_lines((stage.name, " x ".join(map(str, stage.shape))) for stage in found.stages)
    total = sum(found.parameters.values())
    click.echo(f"\nparameters: {total:,}")
    print_lines((name, f"{count:,}") for name, count in found.parameters.items())
    if found.memory is not None:
        click.echo("\nmemory, estimated in float32")
        print_lines(_memory_lines(found))
    click.echo("\nin between")
    print_lines((name, said.strip()) for name, _, said in (text.partition(":") for text in found.adapters))
    click.echo("\nweights")
    print_lines(_weights_lines(found.weights))
    for note in found.notes:
        click.echo(f"\n{note}")


def _memory_lines(found: "Plan") -> Iterator[tuple[str, str]]:
    memory = found.memory
    assert memory is not None, "only a plan that knows it prints it"
    yield "weights", _megabytes(memory.weights)
    yield "scene", f"{_megabytes(memory.scene)}, and at most {_megabytes(memory.encoding)} while it is made"
    yield "prepared scene", f"{_megabytes(memory.prepared)}, kept between rounds"
    yield "round", f"at most {_megabytes(memory.round)}, for one pass of all object queries"


def _weights_lines(weights: "PlannedWeights") -> Iterator[tuple[str, str]]:
    if weights.file is None:
        yield "file", "none: give --weights FILE, or --weights none for random ones"
        return
    size = "not there" if weights.size is None else _megabytes(weights.size)
    yield "file", f"{weights.file} ({size})"
    yield "licence", weights.license or "none is recorded"
    if weights.recipe:
        yield "trained by", weights.recipe
    for name in weights.foreign:
        yield "not installed", f"the plugin {name!r}, of which the file has a learned part"
    if weights.problem is not None:
        yield "problem", weights.problem
    if weights.untrained:
        said = ", ".join(f"{name} ({count:,})" for name, count in weights.untrained.items())
        yield "untrained", f"{sum(weights.untrained.values()):,} parameters: {said}"
    elif weights.untrained is not None:
        yield "untrained", "nothing"


def _pairs(options: Any) -> str:
    return " ".join(f"{name}={json.dumps(value)}" for name, value in options.items())


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"

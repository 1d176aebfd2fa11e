"""`seemkit plugins`: what plugins provide, from metadata and source alone; nothing of them is imported."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command

if TYPE_CHECKING:
    from seemkit_registry import Component, Fault

__all__ = ["plugins"]


@click.command(cls=Command)
@click.argument("kind", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--details", is_flag=True, help="Import every plugin to find what is wrong with it, and show tracebacks."
)
def plugins(kind: str | None, as_json: bool, details: bool) -> None:
    """List what plugins provide, importing none of them.

    KIND is prompts, backbones, pixel_decoders, mask_decoders, text_encoders, answer_policies, exporters,
    datasets, hooks or another kind that a plugin brings.
    """
    from seemkit.cli.faults import mute_faults
    from seemkit.host import registry

    mute_faults()
    found = registry()
    components = found.components(kind)
    if details:
        with chatter_aside():
            for each in sorted({component.kind for component in components}):
                found.load_all(each)
        components = found.components(kind)
    faults = [fault for fault in found.faults() if kind is None or fault.kind in ("", kind)]
    if as_json:
        entries = [component.as_dict() for component in components]
        data = {"components": entries, "faults": [_as_dict(fault, details) for fault in faults]}
        click.echo(json.dumps(data, indent=2))
        return
    _print(components, faults, details)


def _print(components: "Sequence[Component]", faults: "Sequence[Fault]", details: bool) -> None:
    from seemkit.cli.tables import print_table

    print_table(
        ["kind", "name", "distribution", "version", "state", "summary"],
        [[c.kind, c.versioned, c.distribution, c.version, c.state, c.summary] for c in components],
    )
    for fault in faults:
        click.echo(f"\n{fault.details if details else fault.one_line}".rstrip())


def _as_dict(fault: "Fault", details: bool) -> dict[str, str | None]:
    return {
        "plugin": fault.plugin,
        "kind": fault.kind or None,
        "name": fault.name or None,
        "cause": fault.cause,
        "remedy": fault.remedy,
        "line": fault.one_line,
        **({"trace": fault.trace or None} if details else {}),
    }

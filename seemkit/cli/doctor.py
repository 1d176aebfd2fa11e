"""`seemkit doctor`: what is wrong with this installation, and the way out."""

import dataclasses
import json
import os
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from seemkit.cli.command import Command
from seemkit.cli.progress import Progress

if TYPE_CHECKING:
    from seemkit.doctor.finding import Finding

__all__ = ["doctor"]

MARKS = {"fine": "", "note": "note", "wrong": "WRONG"}


@click.command(cls=Command)
@click.argument("assemblies", nargs=-1, metavar="[FILE.yaml]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--limit",
    type=click.FloatRange(0.1, 3600),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a plugin may take to be imported.",
)
def doctor(assemblies: tuple[str, ...], as_json: bool, limit: float) -> int:
    """Look for what is wrong with this installation.

    Versions, torch and CUDA, every plugin, metadata that its source has left behind, requirements, assemblies
    (those of FILE.yaml too), caches, and weights without a licence. What may crash or hang is looked at in
    another process. The exit code is 1 if something is wrong, else 0.
    """
    os.environ.setdefault(
        "PYDANTIC_DISABLE_PLUGINS", "__all__"
    )  # pydantic cannot bear metadata that is broken
    from seemkit.cli.faults import mute_faults
    from seemkit.doctor.examine import examine

    mute_faults()
    with Progress() as progress:
        findings = examine(assemblies, limit=limit, say=progress.say)
    wrong = [finding for finding in findings if finding.state == "wrong"]
    if as_json:
        data = {"fine": not wrong, "findings": [dataclasses.asdict(finding) for finding in findings]}
        click.echo(json.dumps(data, indent=2))
    else:
        _print(findings, wrong)
    return 1 if wrong else 0


def _print(findings: "Sequence[Finding]", wrong: "Sequence[Finding]") -> None:
    from seemkit.cli.tables import print_table

    for check, group in groupby(findings, key=lambda finding: finding.check):
        rows = [[MARKS[each.state], each.subject, each.said, each.remedy] for each in group]
        click.echo(check)
        print_table(["", "what", "what is the case", "way out"], rows)
        click.echo()
    if not wrong:
        click.echo("nothing is wrong")
        return
    click.echo(f"{len(wrong)} {'thing is' if len(wrong) == 1 else 'things are'} wrong:")
    for finding in wrong:
        click.echo(f"{finding.check} {finding.subject}: {finding.said}; {finding.remedy}")

"""`seemkit bench`: how long things take, next to what the original computes, in one run on this machine."""

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from seemkit.benchmark.groups import GROUPS
from seemkit.cli.bench_backbones import refuse_beside, show_backbones
from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import read_settings, settings_option
from seemkit.cli.progress import Progress
from seemkit.results.atomic import check_target, replacing

__all__ = ["bench"]

ALL, STDOUT = "all", "-"


class _Bench(Command):
    """Lists what can be measured."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("What can be measured"):
            formatter.write_dl([*((name, group.about) for name, group in GROUPS.items()), (ALL, "all of it")])


@click.command(cls=_Bench)
@click.argument("groups", nargs=-1, metavar="[WHAT]...")
@click.option(
    "-m",
    "--model",
    "--assembly",
    "assembly",
    metavar="NAME|FILE.yaml",
    default="nano",
    show_default=True,
    help="An assembly by name, or a YAML file.",
)
@click.option(
    "--size",
    type=click.IntRange(32, 4096),
    metavar="N",
    help="Side of the square photo, in pixels; by default as the assembly resizes photos.",
)
@settings_option
@click.option(
    "--weights",
    metavar="FILE|none",
    default="auto",
    help="A .safetensors file, or 'none' for random weights; by default those of the assembly if they are here.",
)
@click.option("--device", metavar="DEVICE", default="auto", show_default=True, help="Such as cpu or cuda:1.")
@click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="Threads of the CPU.")
@click.option(
    "--repeats",
    type=click.IntRange(1, 1000),
    metavar="N",
    default=5,
    show_default=True,
    help="Runs of each path that count.",
)
@click.option(
    "--no-flops", is_flag=True, help="Do not count operations, which takes one more run of each path."
)
@click.option(
    "--backbone",
    "backbones",
    multiple=True,
    metavar="NAME[=WEIGHTS]",
    help="Instead of WHAT: compare backbones in the model, by time, memory and accuracy. A component, or a model of "
    "one such as resnet18; WEIGHTS is a file of the model with it.",
)
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    metavar="DIR|FILE.tar",
    help="Photos with masks, to compare the accuracy of backbones on.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="At most so many objects of the data; all by default.",
)
@click.option("--json", "json_file", metavar="FILE", help="Write the report as JSON; '-' prints it.")
@click.option(
    "--markdown",
    metavar="FILE.md",
    help="Write a page, or renew this setting's section of the page that is there.",
)
def bench(
    groups: tuple[str, ...],
    assembly: str,
    size: int | None,
    settings: tuple[str, ...],
    weights: str,
    device: str,
    threads: int | None,
    repeats: int,
    no_flops: bool,
    backbones: tuple[str, ...],
    data: Path | None,
    limit: int | None,
    json_file: str | None,
    markdown: str | None,
) -> None:
    """Measure how long things take, next to what the original computes.

    Everything is measured by default. Paths of a case run in turn, so that other work on the machine falls on
    all of them; a ratio is the median over the repetitions.
    """
    names = _names(groups)
    overrides: dict[str, Any] = read_settings(settings)
    if threads is not None:
        overrides["runtime.threads"] = threads
    for file in (json_file, markdown):
        if file is not None and file != STDOUT:
            check_target(Path(file))
    if backbones or data is not None or limit is not None:
        refuse_beside(backbones, WHAT=groups, size=size, weights=weights if weights != "auto" else None)
        show_backbones(
            backbones,
            data,
            json_file=json_file,
            markdown=markdown,
            assembly=assembly,
            overrides=overrides,
            device=device,
            repeats=repeats,
            limit=limit,
        )
        return
    with chatter_aside(), Progress() as progress:
        progress.say("loading torch")
        from seemkit.benchmark.page import render_section, write_page
        from seemkit.benchmark.run import run_benchmark

        report = run_benchmark(
            assembly,
            names,
            size=size,
            weights=None if weights == "none" else weights,
            device=device,
            overrides=overrides,
            repeats=repeats,
            count=not no_flops,
            say=progress.say,
            command=_command(),
        )
    text = report.model_dump_json(indent=2)
    if json_file is not None and json_file != STDOUT:
        with replacing(json_file) as out:
            out.write(f"{text}\n".encode())
    if markdown is not None:
        write_page(Path(markdown), report)
    click.echo(text if json_file == STDOUT else render_section(report))


def _names(groups: tuple[str, ...]) -> list[str]:
    """The groups that were asked for, each once; all of them by default."""
    from seemkit_registry.suggestion import nearest

    for name in groups:
        if name not in GROUPS and name != ALL:
            near = nearest(name, [*GROUPS, ALL])
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join([*GROUPS, ALL])}"
            raise RequestError(f"there is nothing to measure by the name {name!r}; {hint}", path="groups")
    return list(GROUPS) if not groups or ALL in groups else list(dict.fromkeys(groups))


def _command() -> str:
    """The command line that is running, without where it writes to."""
    words, kept = iter(sys.argv[1:]), ["seemkit"]
    for word in words:
        if word in ("--json", "--markdown"):
            next(words, None)
        elif not word.startswith(("--json=", "--markdown=")):
            kept.append(word)
    return shlex.join(kept)

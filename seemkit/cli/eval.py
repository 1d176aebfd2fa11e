"""`seemkit eval`: measure a model on data sets."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import seemkit
from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import ModelChoice, read_settings, settings_flag
from seemkit.cli.progress import Progress

if TYPE_CHECKING:
    from seemkit.evaluation.config import EvalConfig
    from seemkit.evaluation.figures import Curve, Report

__all__ = ["eval"]

SHORT = ("assembly", "weights", "device", "threads", "data", "limit")
"""Flags that are short for -s."""
PERIOD = 60.0
"""Seconds between lines of a log."""


class EvalCommand(Command):
    """Lists the evaluations that come with seemkit below its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Their names and summaries, read without importing anything heavy."""
        with formatter.section("Evaluations"):
            formatter.write_dl(list(_summaries()))


@click.command(cls=EvalCommand)
@click.argument("config", metavar="NAME|FILE.yaml")
@click.option(
    "-m",
    "--model",
    "--assembly",
    "assembly",
    metavar="NAME|FILE.yaml",
    help="The model, in place of the evaluation's.",
)
@click.option(
    "--data",
    metavar="DIR",
    envvar="SEEMKIT_DATA",
    help="The folder of the data; by default that of SEEMKIT_DATA.",
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="DIR", help="Keep records and reports here."
)
@click.option("--limit", metavar="N", help="The first N pictures of each data set, or frames of a video.")
@click.option("--weights", metavar="FILE|none", help="A .safetensors file, or 'none' for random weights.")
@click.option("--device", metavar="DEVICE", help="Such as cpu or cuda:1.")
@click.option("--threads", metavar="N", help="Threads of the CPU.")
@settings_flag("an option of the evaluation", "measures.clicks.rounds=5")
@click.option("--restart", is_flag=True, help="Forget what DIR has of an earlier run, and begin anew.")
def eval(  # noqa: A001 - it is the name of the command
    config: str, out: Path | None, settings: tuple[str, ...], restart: bool, **short: str | None
) -> None:
    """Measure a model on data sets, and print the figures with how they were measured.

    The evaluation is the name of one that comes with seemkit, or a YAML file. With -o, what was found in each
    picture is kept as it is found, so that an evaluation that was stopped goes on where it was; beside it are
    written report.json, report.md, plots of curves (with the extra 'eval') and the worst cases as pictures.
    """
    overrides: dict[str, Any] = read_settings(settings)
    overrides |= {name: short[name] for name in SHORT if short.get(name) is not None}
    if restart and out is None:
        raise RequestError("--restart forgets what a folder has; give the folder with -o DIR", path="restart")
    with chatter_aside(), Progress() as progress:
        progress.say(f"reading {config}")
        from seemkit.evaluation.config import load_evaluation

        chosen = load_evaluation(config, overrides)
        if out is not None:
            _check_folder(out)
        from seemkit.evaluation.run import Evaluation, open_datasets

        datasets = open_datasets(chosen)
        progress.say(f"loading {chosen.assembly}")
        model = _choice(chosen).load()
        from seemkit.evaluation.provenance import describe_run

        about = describe_run(model, ["seemkit", *sys.argv[1:]])
        run = Evaluation(chosen, datasets, model, out, restart=restart, say=_everywhere(progress))
        report = run.run({"evaluation": chosen.name, **about})
        written = [] if out is None else _write(report, out)
    click.echo(report.to_markdown())
    for path in written:
        click.echo(f"wrote {path}", err=True)
    if report.curves and out is not None and not any(path.suffix == ".png" for path in written):
        click.echo("curves are not plotted: pip install 'seemkit[eval]' brings matplotlib", err=True)


def _check_folder(out: Path) -> None:
    from seemkit.training.folder import trained_in

    found = trained_in(out)
    if found is not None:
        raise RequestError(
            f"-o {str(out)!r} is the folder of a training run, for it has a {found}; give another one, such as "
            f"{str(out / 'eval')!r}",
            path="-o",
        )


def _everywhere(progress: Progress) -> Callable[[str], None]:
    """Says how far things are: on a terminal all the time, in a log once a minute."""
    if sys.stderr.isatty():
        return progress.say
    last = time.monotonic()

    def say(step: str) -> None:
        nonlocal last
        if time.monotonic() - last >= PERIOD:
            last = time.monotonic()
            click.echo(step, err=True)

    return say


def _summaries() -> Iterator[tuple[str, str]]:
    import yaml

    for file in sorted((Path(seemkit.__file__).parent / "evaluations").glob("*.yaml")):
        yield file.stem, str(yaml.safe_load(file.read_text(encoding="utf-8")).get("summary", ""))


def _choice(config: "EvalConfig") -> ModelChoice:
    overrides: dict[str, object] = dict(config.options)
    if config.threads is not None:
        overrides["runtime.threads"] = config.threads
    weights = None if config.weights == "none" else config.weights
    return ModelChoice(config.assembly, overrides, weights, config.device)


def _write(report: "Report", folder: Path) -> list[Path]:
    """The files of a report, and the folder of the worst cases."""
    from seemkit.evaluation.plots import can_plot, plot_curves
    from seemkit.evaluation.slug import slug
    from seemkit.results.atomic import replacing

    written = []
    for name, text in (("report.json", report.to_json()), ("report.md", report.to_markdown())):
        written.append(folder / name)
        with replacing(written[-1]) as file:
            file.write(text.encode())
    groups: dict[tuple[str, str], list[Curve]] = {}
    for curve in report.curves:
        groups.setdefault((curve.split, curve.measure), []).append(curve)
    for (split, measure), curves in groups.items() if can_plot() else ():
        written.append(folder / f"curve-{slug(f'{split}-{measure}')}.png")
        plot_curves(curves, written[-1])
    return [*written, *([folder / "worst"] if (folder / "worst").is_dir() else [])]

"""`seemkit train`: a recipe becomes weights, in a run that can be interrupted and gone on with."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.failure import RequestError
from seemkit.cli.model_options import read_settings, settings_flag
from seemkit.cli.progress import Progress

if TYPE_CHECKING:
    from seemkit.training.recipe import Recipe
    from seemkit.training.train import Checked, Trained

__all__ = ["train"]

SHOWN = 5
"""Faults that are printed; all of them are in faults.jsonl."""
REMEMBERS = ("prompts.memory", "prompts.guidance")
"""Parts that are taught by the answer of the round before."""


class TrainCommand(Command):
    """Lists the recipes that come with seemkit below its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Their names and summaries, read without importing anything heavy."""
        from seemkit.training.recipe.load import recipe_summaries

        del ctx
        with formatter.section("Recipes"):
            formatter.write_dl(list(recipe_summaries().items()))


@click.command(cls=TrainCommand)
@click.argument("recipe", metavar="[RECIPE|FILE.yaml]", required=False)
@click.option(
    "--data",
    metavar="DIR",
    help="A data set, or what the paths of the recipe's data sets start from.",
)
@click.option(
    "--from",
    "start",
    metavar="MODEL",
    help="What to start from: an assembly by name or file, weights, or the folder of an earlier run.",
)
@click.option("--adapt", is_flag=True, help="Train only what a swapped backbone leaves untrained.")
@click.option("-o", "--output", "out", metavar="DIR", help="Folder of the run; runs/RECIPE by default.")
@settings_flag("a field of the recipe", "run.steps=200")
@click.option("--restart", is_flag=True, help="Begin anew where the folder has a checkpoint or a model.")
@click.option(
    "--check", is_flag=True, help="Read all of the data, say what is wrong with it, and train nothing."
)
@click.option("--print", "show", is_flag=True, help="Print the whole recipe, and train nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def train(
    recipe: str | None,
    data: str | None,
    start: str | None,
    adapt: bool,
    out: str | None,
    settings: tuple[str, ...],
    restart: bool,
    check: bool,
    show: bool,
    as_json: bool,
) -> None:
    """Train a model by a recipe, or on data of one's own.

    RECIPE is one that seemkit brings, or a YAML file; without one, 'fine-tune' is meant ('adapt' with --adapt).
    A run whose folder has a checkpoint is gone on with. At the end the folder has an assembly.yaml to load.
    """
    with chatter_aside(), Progress() as progress:
        progress.say("reading the recipe")
        found = read_recipe(recipe, data, start, adapt, read_settings(settings))
        if show:
            trained: Trained | None = None
        elif check:
            progress.say("reading the data")
            from seemkit.training.train import check_data

            checked = check_data(found)
        else:
            trained = _run(found, Path(out or f"runs/{found.name}"), adapt, restart, progress)
    if show:
        from seemkit.assembly.document import write_text

        click.echo(write_text(found.as_dict()), nl=False)
    elif check:
        _print_check(checked, as_json)
        if checked.faults:
            raise click.exceptions.Exit(2)
    else:
        assert trained is not None
        _print(trained, found, as_json)


def read_recipe(
    recipe: str | None, data: str | None, start: str | None, adapt: bool, settings: dict[str, Any]
) -> "Recipe":
    """The recipe that the flags ask for."""
    from seemkit.training.recipe import load_recipe

    name = recipe or ("adapt" if adapt else "fine-tune")
    if recipe is None and data is None and not any(path.startswith("data.sources") for path in settings):
        raise RequestError(
            "neither a recipe nor data was given; try 'seemkit train --data DIR', or 'seemkit train --help'"
        )
    chosen = dict(settings)
    if start is not None:
        chosen = {**_start(start), **chosen}
    found = load_recipe(name, chosen, data=data)
    if data is None or found.sources:
        return found
    from seemkit.training.detect import detect_source

    return load_recipe(name, {**chosen, "data.sources": [detect_source(Path(data))]})


def _start(given: str) -> dict[str, str]:
    """Fields of the recipe that `--from` means."""
    path = Path(given)
    if path.is_dir():
        if not (path / "assembly.yaml").is_file():
            raise RequestError(
                f"--from {given!r} is a folder without an assembly.yaml of a run", path="--from"
            )
        return {"model.assembly": str((path / "assembly.yaml").resolve())}
    if given.endswith((".yaml", ".yml")):
        return {"model.assembly": str(path.resolve())}
    if given.endswith(".safetensors"):
        return {"model.weights": str(path.resolve())}
    return {"model.assembly": given}


def _run(recipe: "Recipe", folder: Path, adapt: bool, restart: bool, progress: Progress) -> "Trained":
    import sys

    from seemkit.training.train import train as train_by

    def say(step: str) -> None:
        progress.say(step)
        if step == "training":
            progress.stop()  # the bar takes over

    bar = sys.stderr is not None and sys.stderr.isatty()
    return train_by(recipe, folder, adapt=adapt, restart=restart, bar=bar, say=say)


def _print(trained: "Trained", recipe: "Recipe", as_json: bool) -> None:
    if trained.assembly is None:
        return
    from seemkit.training.measure import PROTOCOL

    outcome = trained.outcome
    if as_json:
        said = {
            "assembly": str(trained.assembly),
            "steps": outcome.steps,
            "trained": trained.trained,
            "started_untrained": list(trained.untrained),
            "not_taught": list(trained.not_taught),
            "protocol": PROTOCOL,
            "before": dict(outcome.before),
            "after": dict(outcome.after),
            "faults": [{"source": f.source, "key": f.key, "cause": f.cause} for f in outcome.faults],
        }
        click.echo(json.dumps(said, indent=2))
        return
    from seemkit.cli.tables import print_lines

    lines = [
        ("recipe", f"{recipe.name}, {outcome.steps} steps of {recipe.run.batch} pictures"),
        ("trained", f"{trained.trained:,} parameters"),
    ]
    if trained.untrained:
        lines.append(("started untrained", ", ".join(trained.untrained)))
    lines += [("not taught", f"{parts} ({why})") for why, parts in _not_taught(trained, recipe).items()]
    for name in outcome.after:
        lines.append(
            (
                f"held out {name}, {PROTOCOL}",
                f"{outcome.before[name]:.3f} before, {outcome.after[name]:.3f} after",
            )
        )
    if outcome.faults:
        lines.append(
            (
                "left out",
                f"{_count(outcome.faults)} of the data, in {trained.assembly.parent}/faults.jsonl",
            )
        )
    lines.append(("model", f"{trained.assembly}: seemkit segment PHOTO -m {trained.assembly}"))
    print_lines(lines)


def _not_taught(trained: "Trained", recipe: "Recipe") -> dict[str, str]:
    """Parts that no step taught anything, by why: a switch of the recipe, or that nothing told of them."""
    objective = recipe.objective
    switch = "objective.memory is false" if not objective.memory else ""
    if not objective.clicks.rounds:
        switch = switch or "objective.clicks.rounds is 0, so that there is no memory"
    steps = trained.outcome.steps
    drawn = f"nothing that was drawn in {steps} step{'s' * (steps != 1)} told of it"
    found: dict[str, list[str]] = {}
    for part in trained.not_taught:
        why = switch if part.startswith(REMEMBERS) else ""
        found.setdefault(why or drawn, []).append(part)
    return {why: ", ".join(parts) for why, parts in found.items()}


def _print_check(checked: "Checked", as_json: bool) -> None:
    faults = checked.faults
    if as_json:
        listed = [{"source": f.source, "key": f.key, "cause": f.cause} for f in faults]
        said = {"pictures": checked.pictures, "usable": checked.usable, "faults": listed}
        click.echo(json.dumps(said, indent=2))
        return
    from seemkit.cli.tables import print_lines

    wrong = _count(faults) if faults else "nothing is wrong"
    lines = [("pictures", f"{checked.pictures}, {checked.usable} of them usable"), ("faults", wrong)]
    for fault in faults:
        of = f"{fault.source}: " if checked.sources > 1 else ""
        lines.append((f"{of}{fault.key}", fault.cause))
    print_lines(lines)


def _count(faults: Sequence[object]) -> str:
    return f"{len(faults)} fault{'s' * (len(faults) != 1)}"

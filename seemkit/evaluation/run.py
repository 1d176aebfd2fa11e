"""`python -m seemkit.evaluation.run`: evaluate a model on the shards of a folder, suite by suite."""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

import seemkit
from seemkit.errors import SeemkitError
from seemkit.evaluation.clicks import click_figures
from seemkit.evaluation.datasets import read_masks, read_video
from seemkit.evaluation.figures import Figure, Report
from seemkit.evaluation.prompts import prompt_figures
from seemkit.evaluation.video import video_figures
from seemkit.evaluation.words import label_figures, text_figures
from seemkit.pipeline.model import Model

__all__ = ["SUITES", "evaluate", "main"]

VIDEOS = ("blackswan", "dog", "camel", "car-shadow")


def _video(model: Model, data: Path, limit: int | None) -> list[Figure]:
    figures = []
    for name in VIDEOS:
        frames = read_video(data / "eval" / f"davis-{name}.tar", limit)
        for memory in (True, False):
            figures += video_figures(model, frames, f"DAVIS {name}", memory=memory)
    return figures


SUITES: dict[str, Callable[[Model, Path, int | None], list[Figure]]] = {
    "grabcut": lambda m, d, n: click_figures(m, read_masks(d / "eval/grabcut.tar", n), "GrabCut"),
    "grabcut-no-memory": lambda m, d, n: click_figures(
        m, read_masks(d / "eval/grabcut.tar", n), "GrabCut", memory=False
    ),
    "ecssd": lambda m, d, n: click_figures(m, read_masks(d / "eval/ecssd-200.tar", n), "ECSSD-200"),
    "prompts": lambda m, d, n: prompt_figures(m, read_masks(d / "eval/grabcut.tar", n), "GrabCut"),
    "text": lambda m, d, n: text_figures(m, d / "coco-mini.tar", n),
    "labels": lambda m, d, n: label_figures(m, d / "coco-mini.tar", n),
    "video": _video,
}
"""What can be evaluated: (model, folder of the data, how many) to figures."""


def evaluate(
    model: Model, data: Path, suites: Sequence[str] = tuple(SUITES), limit: int | None = None
) -> Report:
    """Run suites and collect their figures; `limit` takes the first so many photos or frames of each."""
    unknown = [name for name in suites if name not in SUITES]
    if unknown:
        raise SeemkitError(f"there is no suite {unknown[0]!r}; there are {', '.join(SUITES)}", path="suites")
    report = Report({"model": repr(model), "threads": str(torch.get_num_threads())})
    for name in suites:
        report.figures += SUITES[name](model, data, limit)
    return report


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, and write it and the JSON where asked."""
    parser = argparse.ArgumentParser(prog="python -m seemkit.evaluation.run", description=__doc__)
    parser.add_argument("--model", default="nano", help="name or path of an assembly")
    parser.add_argument("--weights", default="default", help="weights file, in place of the assembly's")
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--suite", action="append", choices=list(SUITES), help="only this suite (repeatable)")
    parser.add_argument("--limit", type=int, help="first so many photos or frames of each suite")
    parser.add_argument("--out", type=Path, help="folder for report.json and report.md")
    given = parser.parse_args(arguments)
    model = seemkit.load(given.model, weights=given.weights)
    began = time.monotonic()
    report = evaluate(model, given.data, given.suite or tuple(SUITES), given.limit)
    report.about["seconds"] = f"{time.monotonic() - began:.0f}"
    print(report.to_markdown())
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "report.json").write_text(report.to_json())
        (given.out / "report.md").write_text(report.to_markdown())


if __name__ == "__main__":
    main()

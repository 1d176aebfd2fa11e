"""Tables on standard output: as wide as a terminal, and unbroken lines in a pipe."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from seemkit.result import Result

__all__ = ["print_lines", "print_result", "print_table"]

_PIPE = 10_000
"""Columns where nobody looks at a screen."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()) -> None:
    """Print rows under columns; those in `right` are flush right. Cells hold no markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False, show_edge=False)
    numbers = set(right)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    _print(table)


def print_lines(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and what they are, in two columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, said in pairs:
        table.add_row(Text(name, style="bold"), Text(said))
    _print(table)


def print_result(result: "Result", asked: Mapping[str, str] | None = None) -> None:
    """Print one row a mask; `asked` says by object what was asked for."""
    if not len(result):
        print_lines([("nothing found", "")])
        return
    labelled = any(result.labels)
    columns = ["object", *(["asked by"] if asked else []), *(["label"] if labelled else [])]
    columns += ["score", "area", "box x1,y1,x2,y2"]
    height, width = result.size
    rows = []
    for n, annotation in enumerate(result.to_coco()):
        x, y, w, h = annotation["bbox"]
        row = [result.objects[n]]
        if asked:
            row.append(asked.get(result.objects[n], ""))
        if labelled:
            row.append(", ".join(f"{name} {probability:.0%}" for name, probability in result.labels[n][:2]))
        row.append(f"{result.scores[n]:.2f}")
        row.append(f"{annotation['area'] / (height * width):.1%}")
        row.append(f"{x:.0f},{y:.0f},{x + w:.0f},{y + h:.0f}" if annotation["area"] else "empty")
        rows.append(row)
    print_table(columns, rows, right=("score", "area"))


def _print(renderable: "RenderableType") -> None:
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False)
    if console.is_terminal:
        console.print(renderable)
        return
    console = Console(file=sys.stdout, highlight=False, width=_PIPE, no_color=True)
    with console.capture() as capture:
        console.print(renderable)
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))
